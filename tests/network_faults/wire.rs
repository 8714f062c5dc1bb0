//! Cables that delay and lose: by netem, or where the kernel has none, by a program between two interfaces.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::bridge::{Bridge, Host, inside, ip, tool};

/// Switches the work off that is left to a network card which is not there: without it frames have no checksums yet.
const PLAIN: &str = "
import ctypes, fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for command in (0x17, 0x1f, 0x24, 0x2c):
    value = ctypes.create_string_buffer(struct.pack('II', command, 0))
    try:
        fcntl.ioctl(s, 0x8946, struct.pack('16sP8x', b'eth0', ctypes.addressof(value)))
    except OSError as error:
        if command == 0x17: raise
";
const WIRE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/network_faults/wire.py");

/// Some hosts' cables are slow and lossy until this is dropped.
pub struct Lossy {
    undo: Vec<String>,
    /// Copies frames.
    copier: Option<Child>,
}

impl Lossy {
    /// `delay` ms there and back, this percentage lost each way.
    ///
    /// # Errors
    /// Why that cannot be had here.
    pub fn new(bridge: &Bridge, hosts: &[&Host], delay: u32, loss: f32, seed: u64) -> Result<Self, String> {
        let mut lossy = Self { undo: Vec::new(), copier: None };
        match lossy.netem(bridge, hosts, delay, loss) {
            Ok(()) => Ok(lossy),
            Err(without) => {
                drop(lossy);
                Self::copying(bridge, hosts, delay, loss, seed).map_err(|error| format!("{without}; {error}"))
            }
        }
    }

    fn netem(&mut self, bridge: &Bridge, hosts: &[&Host], delay: u32, loss: f32) -> Result<(), String> {
        for host in hosts {
            let port = format!("port{}", bridge.number(&host.name));
            for (namespace, device) in [(bridge.hub(), port.as_str()), (host.namespace.clone(), "eth0")] {
                let rest = format!("netem delay {}ms loss {loss}%", delay / 2);
                tool("tc", &format!("-n {namespace} qdisc add dev {device} root {rest}"))?;
                self.undo.push(format!("tc -n {namespace} qdisc del dev {device} root"));
            }
        }
        Ok(())
    }

    fn copying(bridge: &Bridge, hosts: &[&Host], delay: u32, loss: f32, seed: u64) -> Result<Self, String> {
        let mut lossy = Self { undo: Vec::new(), copier: None };
        let hub = bridge.hub();
        // All of them: what others send to a slow one passes through the copier as well.
        for host in bridge.hosts() {
            let mut plain = Command::new("python3");
            plain.args(["-c", PLAIN]);
            let done = inside(&bridge.host(host), &plain).output().map_err(|error| error.to_string())?;
            if !done.status.success() {
                return Err(String::from_utf8_lossy(&done.stderr).into_owned());
            }
        }
        let mut pairs = Vec::new();
        for host in hosts {
            let number = bridge.number(&host.name);
            ip(&format!("-n {hub} link add slow{number} type veth peer name wire{number}"))?;
            lossy.undo.push(format!("ip -n {hub} link del slow{number}"));
            ip(&format!("-n {hub} link set wire{number} up"))?;
            ip(&format!("-n {hub} link set port{number} nomaster"))?;
            lossy.undo.push(format!("ip -n {hub} link set port{number} master br0"));
            ip(&format!("-n {hub} link set slow{number} master br0 up"))?;
            pairs.push(format!("port{number}:wire{number}"));
        }
        let mut command = Command::new("python3");
        command.arg(WIRE).arg(format!("{}", f64::from(delay) / 2.0)).arg(loss.to_string());
        command.arg(seed.to_string()).args(pairs);
        let mut command = inside(&hub, &command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        let read = BufReader::new(out).read_line(&mut line);
        lossy.copier = Some(child);
        if read.is_ok() && line == "ready\n" { Ok(lossy) } else { Err("nothing copies frames".into()) }
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        if let Some(mut copier) = self.copier.take() {
            let _ = copier.kill();
            let _ = copier.wait();
        }
        for command in self.undo.drain(..).rev() {
            if let Some((program, words)) = command.split_once(' ') {
                let _ = tool(program, words);
            }
        }
    }
}
