//! A client that takes nothing for granted: an answer that is not well-formed is reported as such.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

/// Maximum time an answer may take. Far more than any needs: it turns hanging into a failure.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Connection(BufReader<TcpStream>);

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Headers, with names in lower case.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_slice())
    }
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends bytes; fails when the server has closed its side, which it may after a malformed request.
    pub(super) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads everything until the server closes, after the end of what is sent.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, String> {
        let _ = self.0.get_mut().shutdown(Shutdown::Write);
        let mut all = Vec::new();
        match self.0.read_to_end(&mut all) {
            Ok(_) => Ok(all),
            // Bytes that the server did not read reset the connection.
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => Ok(all),
            Err(e) => Err(format!("the connection stays open after {all:?}: {e}")),
        }
    }

    /// Reads one answer, or fails with what is wrong with it.
    pub(super) fn receive(&mut self, method: &str) -> Result<Answer, String> {
        let first = self.line()?;
        let mut words = first.splitn(3, |byte| *byte == b' ');
        let version = words.next();
        let status = words.next().and_then(|word| std::str::from_utf8(word).ok());
        let status =
            status.filter(|word| word.len() == 3).and_then(|word| word.parse::<u16>().ok());
        let (Some(b"HTTP/1.1"), Some(status)) = (version, status) else {
            return Err(format!("a status line {:?}", String::from_utf8_lossy(&first)));
        };
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            headers.push(header(&line)?);
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if answer.headers.iter().any(|(name, _)| name == "transfer-encoding") {
            return Err("a transfer encoding, though the body is at hand".into());
        }
        let lengths: Vec<_> =
            answer.headers.iter().filter(|(name, _)| name == "content-length").collect();
        let length = match lengths.as_slice() {
            [] if matches!(status, 204 | 304) || method == "HEAD" => 0,
            [(_, digits)] => {
                let digits = std::str::from_utf8(digits).unwrap_or("");
                digits.parse().map_err(|_| format!("a length of {digits:?}"))?
            }
            other => return Err(format!("{} lengths at status {status}", other.len())),
        };
        if method != "HEAD" && !matches!(status, 204 | 304) {
            answer.body.resize(length, 0);
            self.0.read_exact(&mut answer.body).map_err(|e| format!("a body cut short: {e}"))?;
        }
        Ok(answer)
    }

    fn line(&mut self) -> Result<Vec<u8>, String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).map_err(|e| format!("no answer: {e}"))?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(line.to_vec()),
            None => Err(format!("the end of the connection after {line:?}")),
        }
    }
}

/// Returns the name and value of a header line, if it is legal.
fn header(line: &[u8]) -> Result<(String, Vec<u8>), String> {
    let wrong = || format!("a header {:?}", String::from_utf8_lossy(line));
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let text = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
    if name.is_empty() || !name.iter().all(token) || !value.iter().all(text) {
        return Err(wrong());
    }
    let name = String::from_utf8_lossy(name).to_lowercase();
    Ok((name, value.trim_ascii().to_vec()))
}
