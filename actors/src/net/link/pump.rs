//! Moves a link's bytes: reads frames for its actor, writes what the actor left, closes the stream so that last words
//! arrive.

use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use actix::Recipient;
use bytes::BytesMut;
use flotilla_messages::wire::{Codec, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::connect::{ByteStream, broke};
use super::end::End;
use super::frame::{InboundFrame, NextRead, WireMessage};
use super::outgoing::{Closing, Outgoing};

/// How long a closed link may take to send its last words, and again to see the peer close.
const LINGER: Duration = Duration::from_secs(1);
/// The most that is read in vain from a peer that goes on talking after the end.
const DRAINED: usize = 1 << 20;
/// What the receive buffer grows by.
const STEP: usize = 16 << 10;
/// A receive buffer that is larger is given back when it is empty.
const KEPT: usize = 256 << 10;

/// Runs until the link is closed by its actor or the actor is gone. `held` is let go when the stream is closed.
pub async fn pump<M: WireMessage, H>(
    stream: Box<dyn ByteStream>,
    outgoing: Rc<Outgoing>,
    link: Recipient<InboundFrame<M>>,
    held: H,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let how = {
        let mut reading = pin!(read(&mut reader, &link));
        let mut writing = pin!(write(&mut writer, &outgoing));
        tokio::select! {
            biased;
            written = &mut writing => match written {
                Ok(()) => outgoing.closed().await,
                Err(error) => {
                    // The peer may have said why it closed.
                    let _ = timeout(LINGER, reading).await;
                    let _ = link.send(InboundFrame::Broke(broke(&error))).await;
                    Closing::AtOnce
                }
            },
            how = closed(&outgoing) => how,
            () = &mut reading => {
                // It has told the actor, which closes now.
                match timeout(LINGER, &mut writing).await {
                    Ok(Ok(())) => outgoing.closed().await,
                    _ => Closing::AtOnce,
                }
            }
        }
    };
    if how == Closing::Sent {
        let _ = timeout(LINGER, close(&mut reader, &mut writer)).await;
    }
    drop(held);
}

/// Waits until the link is closed, and then for as long as what is left may take.
async fn closed(outgoing: &Outgoing) -> Closing {
    if outgoing.closed().await == Closing::Sent {
        tokio::time::sleep(LINGER).await;
    }
    Closing::AtOnce
}

/// A socket that is closed while something is unread takes back what it sent last: read until the peer closes.
async fn close(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    writer.shutdown().await?;
    let mut scrap = [0; 4096];
    let mut drained = 0;
    while drained < DRAINED {
        match reader.read(&mut scrap).await? {
            0 => break,
            read => drained += read,
        }
    }
    Ok(())
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), outgoing: &Outgoing) -> io::Result<()> {
    while let Some(bytes) = outgoing.next().await {
        writer.write_all(&bytes).await?;
        writer.flush().await?;
    }
    Ok(())
}

async fn read<M: WireMessage>(reader: &mut (impl AsyncRead + Unpin), link: &Recipient<InboundFrame<M>>) {
    let mut codec = Codec::new(Limits::GREETING);
    let mut buffer = BytesMut::new();
    let mut greeting = true;
    loop {
        let frame = if greeting {
            codec.decode(&mut buffer).map(|frame| frame.map(InboundFrame::Greeting))
        } else {
            codec.decode(&mut buffer).map(|frame| frame.map(InboundFrame::Packet))
        };
        let frame = match frame {
            Ok(Some(frame)) => frame,
            Ok(None) => match more(reader, &mut buffer).await {
                Ok(0) => InboundFrame::Broke(End::Cut("the connection ended without Bye".into())),
                Ok(_) => InboundFrame::Progress,
                Err(error) => InboundFrame::Broke(broke(&error)),
            },
            Err(error) => InboundFrame::Broke(End::Violated(error.to_string())),
        };
        // The actor answers when it, or its owner, has taken it: a link is read no faster than its owner goes.
        match link.send(frame).await {
            Ok(NextRead::Greeting) => {}
            Ok(NextRead::Packets(limits)) => {
                greeting = false;
                codec.set_limits(limits);
            }
            Ok(NextRead::Stop) | Err(_) => return,
        }
    }
}

/// Reads a step. The buffer grows by what has arrived, never by what a frame claims.
async fn more(reader: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> io::Result<usize> {
    if buffer.is_empty() && buffer.capacity() > KEPT {
        *buffer = BytesMut::new();
    }
    buffer.reserve(STEP);
    reader.read_buf(buffer).await
}
