//! Trace contexts as they are passed on: W3C's `traceparent`, and X-Ray's header.

/// The place of a span in its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; never zero.
    pub trace_id: u128,
    /// The span; never zero.
    pub span_id: u64,
    /// W3C's flags: the lowest bit says whether the trace is recorded.
    pub flags: u8,
    /// What systems on the way have noted, as `tracestate` has it.
    pub state: Option<String>,
}

impl TraceContext {
    /// The flag of a trace that is recorded.
    pub const SAMPLED: u8 = 1;

    /// Whether its trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// Reads a `traceparent`. What breaks the rules is none, as they say. Contract: W3C Trace Context.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let span_id = hex(parts.next()?, 16)?;
        let flags = hex(parts.next()?, 2)?;
        // A later version may have more to say.
        let is_whole = parts.next().is_none() || version > 0;
        let is_sane = version != 0xff && trace_id != 0 && span_id != 0 && is_whole;
        let (span_id, flags) = (span_id as u64, flags as u8);
        is_sane.then_some(Self { trace_id, span_id, flags, state: None })
    }

    /// Returns it as a `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// Reads an X-Ray header: `Root=1-…;Parent=…;Sampled=1`. Without a parent it is no place in a trace, and where nobody has
    /// decided yet, nothing is recorded. Contract: "Tracing header" of AWS X-Ray.
    pub fn from_xray(text: &str) -> Option<Self> {
        let (mut trace_id, mut span_id, mut flags) = (None, None, 0);
        for (name, value) in text.split(';').filter_map(|part| part.trim().split_once('=')) {
            match name {
                "Root" => {
                    let (time, rest) = value.strip_prefix("1-")?.split_once('-')?;
                    trace_id = Some((hex(time, 8)? << 96) | hex(rest, 24)?);
                }
                "Parent" => span_id = Some(hex(value, 16)? as u64),
                "Sampled" if value == "1" => flags = Self::SAMPLED,
                _ => {}
            }
        }
        let (trace_id, span_id) = (trace_id?, span_id?);
        let is_sane = trace_id != 0 && span_id != 0;
        is_sane.then_some(Self { trace_id, span_id, flags, state: None })
    }

    /// Returns it as an X-Ray header.
    pub fn xray(&self) -> String {
        let trace = format!("{:032x}", self.trace_id);
        let (time, rest) = trace.split_at(8);
        let is_sampled = u8::from(self.is_sampled());
        format!("Root=1-{time}-{rest};Parent={:016x};Sampled={is_sampled}", self.span_id)
    }
}

/// Reads this many digits in lower case.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(is_hex))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
    const SPAN: u64 = 0xb7ad_6b71_6920_3331;

    fn context(flags: u8) -> TraceContext {
        TraceContext { trace_id: TRACE, span_id: SPAN, flags, state: None }
    }

    #[test]
    fn a_traceparent_is_read_as_its_rules_say() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceContext::from_traceparent(good), Some(context(1)));
        assert_eq!(context(1).traceparent(), good);
        for later in ["-", "-more", "-more-and-more"] {
            let later = format!("cc{}{later}", &good[2..]);
            assert_eq!(TraceContext::from_traceparent(&later), Some(context(1)), "{later}");
        }
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333+-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-é",
        ] {
            assert_eq!(TraceContext::from_traceparent(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_x_ray_header_names_trace_parent_and_decision() {
        let root = "Root=1-0af76519-16cd43dd8448eb211c80319c";
        let of = TraceContext::from_xray;
        let whole = format!("{root};Parent=b7ad6b7169203331;Sampled=1");
        assert_eq!(of(&whole), Some(context(1)));
        assert_eq!(context(1).xray(), whole);
        assert_eq!(of(&format!("{root};Parent=b7ad6b7169203331;Sampled=0")), Some(context(0)));
        assert_eq!(of(&format!("{root};Parent=b7ad6b7169203331;Sampled=?")), Some(context(0)));
        let more = format!("Self=1-2; Parent=b7ad6b7169203331 ; {root};Lineage=25:3d:1;Sampled=1");
        assert_eq!(of(&more), Some(context(1)));
        for wrong in [
            "",
            root,
            "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b716920333",
            "Root=2-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331",
            "Root=1-2-3;Parent=b7ad6b7169203331;Sampled=1",
            "Root=1-00000000-000000000000000000000000;Parent=b7ad6b7169203331",
            "Parent=b7ad6b7169203331;Sampled=1",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
