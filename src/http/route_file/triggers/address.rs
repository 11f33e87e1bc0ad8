//! Where brokers listen, as URLs that may hold a user and a password.

use crate::http::triggers::{Address, Login, Secret};
use http::Uri;
use percent_encoding::percent_decode_str;

/// A name of a protocol, whether it speaks TLS, and its usual port.
pub(super) type Scheme = (&'static str, bool, u16);

/// Reads a URL of one of these protocols. What is wrong with it is told without a password that it may hold.
///
/// # Errors
/// The reason why it is none.
pub(super) fn parse(text: &str, schemes: &[Scheme]) -> Result<(Address, Login), String> {
    let names: Vec<String> = schemes.iter().map(|(name, ..)| format!("{name}://host")).collect();
    let wrong = |why: &str| format!("{why}: write {}", names.join(" or "));
    let (name, rest) = text.split_once("://").ok_or_else(|| wrong("it is no URL"))?;
    let known = schemes.iter().find(|(known, ..)| *known == name);
    let Some((scheme, is_secured, usual)) = known else {
        return Err(wrong("its protocol is not known here"));
    };
    let (userinfo, place) = match rest.rsplit_once('@') {
        Some((userinfo, place)) => (Some(userinfo), place),
        None => (None, rest),
    };
    let uri: Uri = format!("http://{place}").parse().map_err(|_| wrong("it names no host"))?;
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(wrong("it names no host"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("it has a path, which brokers have not"));
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = userinfo.map_or_else(Login::default, |userinfo| match userinfo.split_once(':') {
        Some((user, password)) => {
            Login { user: Some(decoded(user)), password: Some(Secret::Text(decoded(password))) }
        }
        None => Login { user: Some(decoded(userinfo)), password: None },
    });
    let port = uri.port_u16().unwrap_or(*usual);
    Ok((Address { scheme, host, port, is_secured: *is_secured }, login))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: &[Scheme] = &[("mqtt", false, 1883), ("mqtts", true, 8883)];

    #[test]
    fn a_url_names_host_port_and_user() {
        let read = |text: &str| {
            let (address, login) = parse(text, SCHEMES).unwrap();
            let password = login.password.map(|password| password.read().unwrap());
            (address.to_string(), address.is_secured, login.user, password)
        };
        let plain = |text: &str, secured| (text.to_owned(), secured, None, None);
        assert_eq!(read("mqtt://host"), plain("mqtt://host:1883", false));
        assert_eq!(read("mqtts://host/"), plain("mqtts://host:8883", true));
        assert_eq!(read("mqtt://[::1]:1884"), plain("mqtt://[::1]:1884", false));
        let (user, password) = (Some("me".to_owned()), Some("p@ss:w".to_owned()));
        assert_eq!(
            read("mqtt://me:p%40ss%3Aw@host:1"),
            ("mqtt://host:1".to_owned(), false, user.clone(), password)
        );
        assert_eq!(read("mqtt://me@host:1"), ("mqtt://host:1".to_owned(), false, user, None));
    }

    #[test]
    fn what_is_none_is_told_without_its_password() {
        for (text, part) in [
            ("host:1883", "it is no URL: write mqtt://host or mqtts://host"),
            ("http://host", "its protocol is not known here"),
            ("mqtt://", "it names no host"),
            ("mqtt://me:secret@", "it names no host"),
            ("mqtt://me:secret@ho st", "it names no host"),
            ("mqtt://me:secret@host/topic", "it has a path"),
        ] {
            let why = parse(text, SCHEMES).unwrap_err();
            assert!(why.contains(part) && !why.contains("secret"), "{text}: {why}");
        }
    }
}
