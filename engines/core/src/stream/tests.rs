//! Streams as their two sides see them.

use super::*;
use crate::StreamPlace;

fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[test]
fn a_chunk_that_is_passed_on_was_given_some_turns_to_be_read() {
    let stream = ResponseStream::new(None);
    let mut reader = stream.reader();
    let mut cx = Context::from_waker(Waker::noop());
    // Read at once: one turn.
    stream.write(bytes("a")).unwrap();
    let mut passed_on = std::pin::pin!(stream.passed_on());
    assert!(passed_on.as_mut().poll(&mut cx).is_pending());
    assert_eq!(now(reader.chunk()), Some(Some(bytes("a"))));
    assert_eq!(passed_on.as_mut().poll(&mut cx), Poll::Ready(true));
    // Not read: there is room all the same.
    stream.write(bytes("b")).unwrap();
    let mut passed_on = std::pin::pin!(stream.passed_on());
    for _ in 0..TURNS {
        assert!(passed_on.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(passed_on.as_mut().poll(&mut cx), Poll::Ready(true));
    // No room, until somebody reads; and nobody does any more.
    stream.write(vec![0; STREAM_CAPACITY].into()).unwrap();
    let mut passed_on = std::pin::pin!(stream.passed_on());
    for _ in 0..3 * TURNS {
        assert!(passed_on.as_mut().poll(&mut cx).is_pending());
    }
    drop(reader);
    assert_eq!(passed_on.as_mut().poll(&mut cx), Poll::Ready(false));
}

#[test]
fn metadata_of_a_guests_own_end_wherever_chunks_are_cut() {
    let whole = [b"{\"statusCode\":201}\0\0\0".as_slice(), &PRELUDE_END[3..], b"\0body"].concat();
    for size in 1..=whole.len() {
        let stream = ResponseStream::new(None);
        let content_type = Some(HTTP_INTEGRATION.to_owned());
        stream.set_head(StreamHead { content_type, ..StreamHead::default() }).unwrap();
        for chunk in whole.chunks(size) {
            stream.write(Bytes::copy_from_slice(chunk)).unwrap();
        }
        stream.finish(Ok(()));
        assert_eq!(stream.head().metadata.as_deref(), Some(&b"{\"statusCode\":201}"[..]), "{size}");
        let mut reader = stream.reader();
        let mut body = Vec::new();
        while let Some(Some(chunk)) = now(reader.chunk()) {
            body.extend_from_slice(&chunk);
        }
        assert_eq!(body, b"\0body", "{size}");
    }
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn chunks_are_read_as_they_were_written_and_the_end_after_them() {
    let stream = ResponseStream::new(None);
    let mut reader = stream.reader();
    assert_eq!(now(reader.chunk()), None);
    assert_eq!(stream.write(bytes("")).unwrap(), Written::Room);
    assert!(!stream.is_begun());
    assert!(now(stream.send(bytes("a"))).unwrap().unwrap());
    stream.write(bytes("b")).unwrap();
    assert!(stream.is_out());
    stream.finish(Err(Error::guest("Late", "failed")));
    assert_eq!(now(reader.chunk()), Some(Some(bytes("a"))));
    assert_eq!(now(reader.chunk()), Some(Some(bytes("b"))));
    assert_eq!(now(reader.chunk()), Some(None));
    assert_eq!(stream.take_failure().unwrap().name(), "Late");
    assert!(stream.take_failure().is_none());
    assert!(stream.write(bytes("c")).is_err());
}

#[test]
fn a_slow_reader_makes_the_writer_wait_and_one_that_is_gone_is_told() {
    let stream = ResponseStream::new(None);
    let mut reader = stream.reader();
    let piece = Bytes::from(vec![1; STREAM_CAPACITY / 2]);
    assert_eq!(stream.write(piece.clone()).unwrap(), Written::Room);
    assert_eq!(stream.write(piece).unwrap(), Written::Full);
    let (mut ready, mut gone) = (Box::pin(stream.ready()), Box::pin(stream.gone()));
    assert_eq!(now(ready.as_mut()), None);
    now(reader.chunk());
    assert_eq!(now(ready.as_mut()), Some(true));
    assert_eq!(now(gone.as_mut()), None);
    drop(reader);
    assert_eq!(now(gone.as_mut()), Some(()));
    assert_eq!(stream.write(bytes("x")).unwrap(), Written::Gone);
    assert_eq!(now(stream.ready()), Some(false));
}

#[test]
fn the_head_is_set_before_the_first_chunk() {
    let stream = ResponseStream::new(None);
    let head = StreamHead { content_type: Some("text/plain".to_owned()), ..StreamHead::default() };
    stream.set_head(head.clone()).unwrap();
    stream.write(bytes("x")).unwrap();
    let error = stream.set_head(StreamHead::default()).unwrap_err();
    assert_eq!(error.name(), "Runtime.InvalidStreamingOperation");
    assert_eq!(stream.head(), head);
}

#[test]
fn the_head_can_go_out_before_the_first_chunk() {
    let stream = ResponseStream::new(None);
    let mut reader = stream.reader();
    stream.begin();
    assert!(stream.is_out() && now(reader.chunk()).is_none());
    assert!(stream.set_head(StreamHead::default()).is_err());
    stream.write(bytes("a")).unwrap();
    assert_eq!(now(reader.chunk()), Some(Some(bytes("a"))));
    assert!(!stream.is_ended());
    stream.end();
    assert!(stream.is_ended());
}

#[test]
fn metadata_that_a_guest_writes_itself_become_the_head() {
    let written = |parts: &[&'static [u8]]| {
        let stream = ResponseStream::new(None);
        let content_type = Some(HTTP_INTEGRATION.to_owned());
        stream.set_head(StreamHead { content_type, ..StreamHead::default() }).unwrap();
        for part in parts {
            stream.write(Bytes::from_static(part)).unwrap();
        }
        let begun = stream.is_begun();
        stream.finish(Ok(()));
        let mut reader = stream.reader();
        let mut body = Vec::new();
        while let Some(Some(chunk)) = now(reader.chunk()) {
            body.extend_from_slice(&chunk);
        }
        (begun, stream.head().metadata, body)
    };
    let (begun, metadata, body) =
        written(&[b"{\"statusCode\"", b":201}\0\0\0", b"\0\0\0\0\0a", b"b"]);
    assert!(begun);
    assert_eq!(metadata.unwrap(), "{\"statusCode\":201}");
    assert_eq!(body, b"ab");
    let (begun, metadata, body) = written(&[b"{}\0\0\0\0\0\0\0\0"]);
    assert_eq!((begun, metadata.unwrap(), body), (true, bytes("{}"), Vec::new()));
    // Without an end they are the body.
    let (begun, metadata, body) = written(&[b"{}", b"\0\0"]);
    assert_eq!((begun, metadata, body), (false, None, b"{}\0\0".to_vec()));
}

#[test]
fn what_is_held_back_is_out_when_it_is_released() {
    let place = StreamPlace::default();
    assert!(place.made().is_none());
    place.hold();
    place.get().write(bytes("x")).unwrap();
    assert!(place.get().is_begun() && place.out().is_none());
    let metadata = Some(bytes("{}"));
    place.get().release(StreamHead { metadata: metadata.clone(), ..StreamHead::default() });
    assert_eq!(place.out().unwrap().head().metadata, metadata);
}

#[test]
fn more_than_the_limit_is_refused() {
    let place = StreamPlace::limited(3);
    place.get().write(bytes("ab")).unwrap();
    let error = place.get().write(bytes("cd")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    assert_eq!(
        error.message(),
        "Response payload size (4 bytes so far) exceeded maximum allowed payload size (3 bytes)."
    );
}

#[test]
fn who_waits_for_a_stream_is_woken_by_its_first_chunk() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);
    let place = StreamPlace::default();
    assert!(place.poll_out(&mut cx).is_pending());
    place.get().set_head(StreamHead::default()).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    place.get().write(bytes("x")).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(place.poll_out(&mut cx).is_ready());
}

#[test]
fn an_answer_can_begin_before_its_first_chunk() {
    let stream = ResponseStream::new(None);
    let mut reader = stream.reader();
    stream.begin();
    assert!(stream.is_out() && stream.set_head(StreamHead::default()).is_err());
    assert_eq!(now(reader.chunk()), None);
    stream.write(bytes("a")).unwrap();
    assert_eq!(now(reader.chunk()), Some(Some(bytes("a"))));
}
