//! Frames around any body, so that the fuzzer need not discover snappy's format.

/// A valid frame around these bytes, in snappy's uncompressed form.
pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut length = body.len();
    while length >= 0x80 {
        packed.push(length as u8 | 0x80);
        length >>= 7;
    }
    packed.push(length as u8);
    for literal in body.chunks(60) {
        packed.push((literal.len() as u8 - 1) << 2);
        packed.extend_from_slice(literal);
    }
    [&(packed.len() as u32).to_be_bytes()[..], &packed].concat()
}
