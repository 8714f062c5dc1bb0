//! The bytes of each message of the Work port, as the first release that speaks this version writes them.

use std::time::Duration;

use super::*;
use crate::wire::body;
use crate::{Captured, Exit, Expectation, Memory, Program};

/// One message of each kind, and one news item of each kind.
fn messages() -> Vec<WorkMessage> {
    let name = TestName {
        suite: "mjsunit".into(),
        name: "a/b".into(),
        variant: "stress".into(),
        detail: Some("strict".into()),
    };
    let case = TestCase {
        name: name.clone(),
        id: "mjsunit/a/b".into(),
        prefix: vec!["nice".into()],
        program: Program::Shell(crate::Arg::Path("out/d8".into())),
        args: vec![crate::Arg::Text("--x".into()), crate::Arg::Path("test/a.js".into())],
        recipe: None,
        env: [("A".to_owned(), "1".to_owned())].into(),
        unset_env: vec!["B".into()],
        timeout: Duration::from_millis(60_500),
        term_grace: Some(Duration::from_secs(2)),
        judge: crate::Judge::ExitCodes(vec![0, 255]),
        expected_file: None,
        expectation: Expectation::pass(),
        slow: true,
        heavy: false,
        variant_flags: vec!["--stress".into()],
        random_seed: Some(-7),
    };
    let output = Output {
        exit: Exit::Signal(11),
        timed_out: false,
        stdout: Captured { bytes: b"out\xff".to_vec(), total: 900 },
        stderr: Captured::default(),
        duration: Duration::from_millis(1234),
        memory: Memory { max_rss: 4096, max_vms: 1 << 33 },
        started: None,
    };
    let judgement = Judgement { outcome: Outcome::Crash, why: Some("signal 11".into()) };
    let differing = RemoteEnding::Judged(JudgedRun {
        output: output.clone(),
        judgement: judgement.clone(),
        difference: Some("-a\n+b".into()),
    });
    let judged = RemoteEnding::Judged(JudgedRun { output, judgement, difference: None });
    let failed = RemoteEnding::Failed { outcome: Outcome::Fail, reason: "no file".into() };
    let unable = RemoteEnding::Unable { reason: "no space".into() };
    let endings = [differing, judged, failed, RemoteEnding::Withdrawn, unable].into_iter().zip(1..);
    let finished =
        |(ending, lease)| RemoteNews::Finished { lease, ending, queued: Duration::from_micros(2500) };
    let news = [RemoteNews::Started { lease: 1, name }].into_iter().chain(endings.map(finished)).collect();
    let digests = || vec![Digest([7; 32]), Digest([8; 32])];
    vec![
        WorkMessage::Queue { ahead: 3 },
        WorkMessage::Packet(vec![1, 2, 3].into()),
        WorkMessage::Want(digests()),
        WorkMessage::Pack(Pack { unpacked: 9, data: vec![4, 5] }),
        WorkMessage::Ready { credit: 70_000 },
        WorkMessage::Assign(vec![RemoteLease { lease: 5, case, keep_output: true }]),
        WorkMessage::Withdraw(vec![5, 1 << 40]),
        WorkMessage::News(news),
        WorkMessage::Elsewhere {
            blobs: digests(),
            holder: Fingerprint([9; 32]),
            address: "[2001:db8::1]:4321".parse().unwrap(),
        },
        WorkMessage::Fetch(digests()),
        WorkMessage::Done,
        WorkMessage::Refused { reason: "not trusted".into() },
    ]
}

/// Their CBOR, a line each, written by the program before its types were regrouped.
const RELEASED: &str = include_str!("work_messages.hex");

#[test]
fn each_message_has_the_bytes_that_released_peers_send_and_expect() {
    let messages = messages();
    let lines: Vec<_> = RELEASED.lines().collect();
    assert_eq!(lines.len(), messages.len());
    for (message, line) in messages.iter().zip(lines) {
        let bytes = body::write(message).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, line, "{message:?}");
        assert_eq!(body::read::<WorkMessage>(&bytes).as_ref(), Ok(message));
    }
}
