//! The channel between a process and one that it has started, as `fork` makes it: messages in frames, descriptors
//! beside them. The content of a frame is the prelude's business.
//!
//! Deno's own channel writes in a later turn of the event loop, so what a process sends right before it ends or
//! disconnects is lost; and its JSON parser accepts less than JavaScript's. This one writes at once what the system
//! takes, as Node does, and passes messages on as they arrive.

use crate::host::set_function;
use deno_runtime::{
    deno_core::{
        AsyncRefCell, CancelFuture as _, CancelHandle, JsBuffer, JsRuntime, OpDecl, OpState, RcRef,
        Resource, ResourceId, ToV8, error::ResourceError, op2, v8,
    },
    deno_io::{BiPipe, BiPipeRead, BiPipeWrite},
    deno_node::{
        ChildPipeFd,
        ops::ipc::{ChildIpcSerialization, IpcRefTracker},
    },
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    io::{self, Write as _},
    mem::ManuallyDrop,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    rc::Rc,
};
use tokio::io::AsyncWriteExt as _;

/// Number of bytes read at a time.
const CHUNK: usize = 64 << 10;

/// Number of bytes waiting to be written above which senders are told to slow down, as Node's are.
const MUCH: usize = 128 << 10;

/// Length of the prefix of frames that are not JSON.
const PREFIX: usize = 4;

/// One end of a channel.
struct Channel {
    /// Whether frames are lines of JSON; otherwise they are in V8's serialization format, preceded by their length.
    is_json: bool,
    /// The descriptor that both halves below read and write.
    descriptor: RawFd,
    reader: AsyncRefCell<Reader>,
    writer: AsyncRefCell<BiPipeWrite>,
    /// Descriptors that arrived with messages and have not been taken yet.
    received: RefCell<VecDeque<OwnedFd>>,
    /// Number of bytes that wait to be written.
    waiting: Cell<usize>,
    closing: Rc<CancelHandle>,
    references: IpcRefTracker,
}

struct Reader {
    pipe: BiPipeRead,
    chunk: Box<[u8]>,
    /// Bytes that have been read and belong to no frame yet.
    bytes: Vec<u8>,
    /// Offset at which the next frame begins.
    start: usize,
    /// Offset at which the search for that frame's end continues.
    searched: usize,
}

/// The result of one read.
enum Frame {
    Json(Vec<u8>),
    Serialized(Vec<u8>),
    /// The end of the channel.
    End,
}

impl Resource for Channel {
    fn name(&self) -> Cow<'_, str> {
        "childProcessChannel".into()
    }

    /// Ends reading. Data that waits to be written keeps the channel open until it is.
    fn close(self: Rc<Self>) {
        self.closing.cancel();
    }
}

impl Channel {
    /// Takes over a descriptor; returns the number of the resource.
    fn open(state: &mut OpState, descriptor: RawFd, is_json: bool) -> io::Result<ResourceId> {
        let (read, write) = BiPipe::from_raw(descriptor)?.split();
        // SAFETY: sets a flag of a descriptor that has just been looked at, so that other children do not hold it open.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
        let reader = Reader {
            pipe: read,
            chunk: vec![0; CHUNK].into_boxed_slice(),
            bytes: Vec::new(),
            start: 0,
            searched: 0,
        };
        Ok(state.resource_table.add(Self {
            is_json,
            descriptor,
            reader: AsyncRefCell::new(reader),
            writer: AsyncRefCell::new(write),
            received: RefCell::default(),
            waiting: Cell::new(0),
            closing: CancelHandle::new_rc(),
            references: IpcRefTracker::new(state.external_ops_tracker.clone()),
        }))
    }

    /// Writes what the system takes without waiting; returns how much that was.
    fn write_now(&self, frame: &[u8]) -> io::Result<usize> {
        // SAFETY: the descriptor is open while the channel's halves are, and they own it: this stream is never dropped.
        let stream = ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(self.descriptor) });
        let mut written = 0;
        while written < frame.len() {
            match (&*stream).write(&frame[written..]) {
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    async fn next_frame(&self, reader: &mut Reader) -> io::Result<Frame> {
        loop {
            if let Some(frame) = reader.frame(self.is_json) {
                return Ok(match self.is_json {
                    true => Frame::Json(frame),
                    false => Frame::Serialized(frame),
                });
            }
            let (length, descriptor) = match reader.pipe.recv_with_fd(&mut reader.chunk).await {
                Ok(read) => read,
                // The other side has ended without reading all its messages.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => (0, None),
                Err(error) => return Err(error),
            };
            if let Some(descriptor) = descriptor {
                // SAFETY: the system has just made it for this process, and nobody else knows it.
                let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
                self.received.borrow_mut().push_back(descriptor);
            }
            if length == 0 {
                return Ok(Frame::End);
            }
            reader.bytes.extend_from_slice(&reader.chunk[..length]);
        }
    }
}

impl Reader {
    /// Takes the next frame, if it is complete.
    fn frame(&mut self, is_json: bool) -> Option<Vec<u8>> {
        let bytes = &self.bytes[self.start..];
        let found = if is_json {
            let end = bytes[self.searched..].iter().position(|byte| *byte == b'\n');
            end.map(|end| (0, self.searched + end, self.searched + end + 1))
        } else {
            bytes.first_chunk::<PREFIX>().and_then(|length| {
                let end = PREFIX.checked_add(u32::from_be_bytes(*length) as usize)?;
                (bytes.len() >= end).then_some((PREFIX, end, end))
            })
        };
        let Some((from, to, next)) = found else {
            self.searched = bytes.len();
            self.bytes.drain(..std::mem::take(&mut self.start));
            return None;
        };
        let frame = bytes[from..to].to_vec();
        self.start += next;
        self.searched = 0;
        Some(frame)
    }
}

impl<'s> ToV8<'s> for Frame {
    type Error = Infallible;

    /// Makes a text, bytes, or `null` for the end.
    fn to_v8(
        self,
        scope: &mut v8::PinScope<'s, '_>,
    ) -> Result<v8::Local<'s, v8::Value>, Infallible> {
        Ok(match self {
            Self::Json(text) => {
                match v8::String::new_from_utf8(scope, &text, v8::NewStringType::Normal) {
                    Some(text) => text.into(),
                    // Longer than any string may be.
                    None => v8::undefined(scope).into(),
                }
            }
            Self::Serialized(bytes) => {
                let length = bytes.len();
                let store = v8::ArrayBuffer::new_backing_store_from_vec(bytes).make_shared();
                let buffer = v8::ArrayBuffer::with_backing_store(scope, &store);
                match v8::Uint8Array::new(scope, buffer, 0, length) {
                    Some(bytes) => bytes.into(),
                    None => v8::undefined(scope).into(),
                }
            }
            Self::End => v8::null(scope).into(),
        })
    }
}

/// Replaces Deno's operations on such channels. The prelude lets Deno's code use those for serialized messages only.
pub(crate) fn replace(op: OpDecl) -> OpDecl {
    match op.name {
        "op_node_child_ipc_pipe" => op.with_implementation_from(&op_trine_channel_to_parent()),
        "op_node_ipc_write_advanced" => op.with_implementation_from(&op_trine_channel_write()),
        "op_node_ipc_read_advanced" => op.with_implementation_from(&op_trine_channel_read()),
        "op_node_ipc_ref" => op.with_implementation_from(&op_trine_channel_ref()),
        "op_node_ipc_unref" => op.with_implementation_from(&op_trine_channel_unref()),
        _ => op,
    }
}

/// Adds the functions that the prelude calls.
pub(crate) fn add_functions(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) {
    set_function(scope, object, "openChannel", open_channel);
    set_function(scope, object, "takeDescriptor", take_descriptor);
}

/// Returns the channel to the parent, if there is one: the resource, and 0 where messages are JSON.
#[op2]
fn op_trine_channel_to_parent(state: &mut OpState) -> Result<Option<(ResourceId, u8)>, io::Error> {
    let Some(ChildPipeFd(descriptor, form)) = state.try_borrow::<ChildPipeFd>() else {
        return Ok(None);
    };
    let is_json = matches!(form, ChildIpcSerialization::Json);
    let descriptor = RawFd::try_from(*descriptor).map_err(io::Error::other)?;
    let channel = Channel::open(state, descriptor, is_json).map_err(|error| {
        let message =
            format!("NODE_CHANNEL_FD={descriptor} names no channel to a parent process: {error}");
        io::Error::new(error.kind(), message)
    })?;
    Ok(Some((channel, u8::from(!is_json))))
}

/// Writes a frame, together with a descriptor (or -1) that it takes over. Sets `fits[0]` to false when much data waits.
#[op2]
fn op_trine_channel_write<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] channel: ResourceId,
    #[buffer] frame: JsBuffer,
    #[smi] descriptor: i32,
    fits: v8::Local<'a, v8::Array>,
) -> Result<impl Future<Output = Result<(), io::Error>> + use<>, ResourceError> {
    // SAFETY: made for this message, by a polyfill that leaves it to the writer.
    let descriptor = (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) });
    let channel = state.borrow().resource_table.get::<Channel>(channel)?;
    let writer = RcRef::map(channel.clone(), |channel| &channel.writer);
    // Nothing overtakes waiting data.
    let turn = writer.try_borrow_mut();
    let written = match (&turn, &descriptor) {
        (Some(_), None) => channel.write_now(&frame),
        _ => Ok(0),
    };
    let left = written.as_ref().map_or(0, |written| frame.len() - written);
    // Data that can follow at once need not wait for the event loop.
    let turn = turn.filter(|_| left > 0);
    channel.waiting.update(|waiting| waiting + left);
    if channel.waiting.get() > MUCH {
        let no = v8::Boolean::new(scope, false);
        fits.set_index(scope, 0, no.into());
    }
    Ok(async move {
        let mut written = written?;
        if left == 0 {
            return Ok(());
        }
        let result = async {
            let mut writer = match turn {
                Some(turn) => turn,
                None => writer.borrow_mut().await,
            };
            if let Some(descriptor) = descriptor {
                written = writer.send_with_fd(&frame, descriptor.as_raw_fd()).await?;
            }
            writer.write_all(&frame[written..]).await
        }
        .await;
        channel.waiting.update(|waiting| waiting - left);
        result
    })
}

/// Waits for the next frame.
#[op2]
async fn op_trine_channel_read(
    state: Rc<RefCell<OpState>>,
    #[smi] channel: ResourceId,
) -> Result<Frame, io::Error> {
    let channel = state.borrow().resource_table.get::<Channel>(channel);
    let channel = channel.map_err(|_| io::ErrorKind::Interrupted)?;
    let mut reader = RcRef::map(channel.clone(), |channel| &channel.reader).borrow_mut().await;
    let read = channel.next_frame(&mut reader).or_cancel(channel.closing.clone()).await;
    // This side has closed it.
    read.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
}

#[op2(fast)]
fn op_trine_channel_ref(
    state: &mut OpState,
    #[smi] channel: ResourceId,
    _is_json: bool,
) -> Result<(), ResourceError> {
    state.resource_table.get::<Channel>(channel)?.references.ref_();
    Ok(())
}

#[op2(fast)]
fn op_trine_channel_unref(
    state: &mut OpState,
    #[smi] channel: ResourceId,
    _is_json: bool,
) -> Result<(), ResourceError> {
    state.resource_table.get::<Channel>(channel)?.references.unref();
    Ok(())
}

/// Implements `openChannel(descriptor, isJson)`: this process's end of a channel; undefined for an invalid descriptor.
fn open_channel(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let descriptor = args.get(0).int32_value(scope).unwrap_or(-1);
    let is_json = args.get(1).is_true();
    let state = JsRuntime::op_state_from(scope);
    let opened = Channel::open(&mut state.borrow_mut(), descriptor, is_json);
    if let Ok(channel) = opened {
        result.set_uint32(channel);
    }
}

/// Implements `takeDescriptor(channel)`: the first descriptor that arrived with a message and was not taken yet.
fn take_descriptor(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let channel = args.get(0).uint32_value(scope).unwrap_or(ResourceId::MAX);
    let state = JsRuntime::op_state_from(scope);
    let channel = state.borrow().resource_table.get::<Channel>(channel);
    let Ok(channel) = channel else { return };
    if let Some(descriptor) = channel.received.borrow_mut().pop_front() {
        result.set_int32(descriptor.into_raw_fd());
    }
}
