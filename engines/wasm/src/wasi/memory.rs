//! A guest's memory, as a WASI function sees it: every access is checked against its present size.

use super::errno::{Errno, Result};

/// Maximum number of buffers of one read or write.
const MOST_BUFFERS: u32 = 1024;

/// A guest's memory for the time of one call of the host's.
pub(crate) struct Memory<'m>(&'m mut [u8]);

/// A place in a guest's memory, not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buffer {
    pub(crate) pointer: u32,
    pub(crate) length: u32,
}

impl<'m> Memory<'m> {
    pub(crate) fn new(bytes: &'m mut [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of a buffer.
    pub(crate) fn bytes(&mut self, buffer: Buffer) -> Result<&mut [u8]> {
        let start = buffer.pointer as usize;
        let end = start.checked_add(buffer.length as usize).ok_or(Errno::Fault)?;
        self.0.get_mut(start..end).ok_or(Errno::Fault)
    }

    fn array<const SIZE: usize>(&mut self, pointer: u32) -> Result<[u8; SIZE]> {
        let bytes = self.bytes(Buffer { pointer, length: SIZE as u32 })?;
        <[u8; SIZE]>::try_from(&*bytes).map_err(|_| Errno::Fault)
    }

    pub(crate) fn read_u8(&mut self, pointer: u32) -> Result<u8> {
        self.array::<1>(pointer).map(|[byte]| byte)
    }

    pub(crate) fn read_u16(&mut self, pointer: u32) -> Result<u16> {
        self.array(pointer).map(u16::from_le_bytes)
    }

    pub(crate) fn read_u32(&mut self, pointer: u32) -> Result<u32> {
        self.array(pointer).map(u32::from_le_bytes)
    }

    pub(crate) fn read_u64(&mut self, pointer: u32) -> Result<u64> {
        self.array(pointer).map(u64::from_le_bytes)
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        self.bytes(Buffer { pointer, length })?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, pointer: u32, value: u32) -> Result<()> {
        self.write(pointer, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, pointer: u32, value: u64) -> Result<()> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Reads a list of buffers.
    pub(crate) fn buffers(&mut self, pointer: u32, count: u32) -> Result<Vec<Buffer>> {
        if count > MOST_BUFFERS {
            return Err(Errno::Invalid);
        }
        let places = (0..count).map(|index| {
            let at = pointer.checked_add(index * 8).ok_or(Errno::Fault)?;
            let length = self.read_u32(at.checked_add(4).ok_or(Errno::Fault)?)?;
            Ok(Buffer { pointer: self.read_u32(at)?, length })
        });
        places.collect()
    }

    /// Reads a path.
    pub(crate) fn path(&mut self, buffer: Buffer) -> Result<Vec<u8>> {
        // Longer ones are refused by the system as well.
        if buffer.length > 4096 {
            return Err(Errno::NameTooLong);
        }
        let path = self.bytes(buffer)?.to_vec();
        if path.contains(&0) { Err(Errno::Invalid) } else { Ok(path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_beyond_the_end_is_read_or_written() {
        let mut bytes = vec![0; 16];
        let mut memory = Memory::new(&mut bytes);
        assert_eq!(memory.write_u64(8, 7), Ok(()));
        assert_eq!(memory.read_u64(8), Ok(7));
        assert_eq!(memory.write_u64(9, 7), Err(Errno::Fault));
        assert_eq!(memory.write_u32(u32::MAX, 7), Err(Errno::Fault));
        assert_eq!(memory.buffers(u32::MAX - 3, 2), Err(Errno::Fault));
        assert_eq!(memory.buffers(0, u32::MAX), Err(Errno::Invalid));
        assert_eq!(memory.path(Buffer { pointer: 16, length: 0 }), Ok(Vec::new()));
        assert_eq!(memory.path(Buffer { pointer: 17, length: 0 }), Err(Errno::Fault));
    }
}
