//! The stream that lapin reads from: the socket, or TLS on it, with everything mended that lapin could not read.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::{AsyncRead, AsyncWrite, Stream, TryFutureExt};
use lapin::tcp::AsyncTcpStream;

use super::legible::Mender;

/// What is asked of the socket at once, and held at first. It grows with a frame that has to be whole.
const ROOM: usize = 64 * 1024;

/// A connection as lapin opens it by itself.
pub type Raw = AsyncTcpStream<<Tokio as Reactor>::TcpStream>;

/// The runtime whose streams lapin can always read.
pub type LegibleRuntime = Runtime<RuntimeParts<Tokio, LegibleReactor>>;

/// This process's runtime, made for lapin.
pub fn runtime() -> LegibleRuntime {
    Runtime::new(RuntimeParts::new(
        Tokio::current(),
        LegibleReactor(Tokio::current()),
    ))
}

/// A stream that holds what it has read until it is mended.
#[derive(Debug)]
pub struct Legible<S> {
    inner: S,
    mender: Mender,
    held: Vec<u8>,
    /// Mended and not yet handed on.
    mended: Range<usize>,
    /// Where what was read ends.
    filled: usize,
}

impl<S> Legible<S> {
    /// Around this stream.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            mender: Mender::default(),
            held: vec![0; ROOM],
            mended: 0..0,
            filled: 0,
        }
    }

    /// Moves what is not mended yet to the front, and sees to it that there is room behind it.
    fn make_room(&mut self) {
        self.held.copy_within(self.mended.end..self.filled, 0);
        self.filled -= self.mended.end;
        self.mended = 0..0;
        if self.filled == self.held.len() {
            self.held.resize(self.held.len() * 2, 0);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Legible<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        while this.mended.is_empty() {
            this.make_room();
            let room = &mut this.held[this.filled..];
            let count = ready!(Pin::new(&mut this.inner).poll_read(context, room))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            this.filled += count;
            this.mended = 0..this.mender.mend(&mut this.held[..this.filled]);
        }
        let count = into.len().min(this.mended.len());
        let end = this.mended.start + count;
        into[..count].copy_from_slice(&this.held[this.mended.start..end]);
        this.mended.start = end;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Legible<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}

/// Tokio's reactor: lapin asks it what type its streams are of, and for timers.
#[derive(Debug, Clone)]
pub struct LegibleReactor(Tokio);

impl Reactor for LegibleReactor {
    type TcpStream = Legible<Raw>;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// lapin opens its sockets itself and registers none.
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(address);
        connecting.map_ok(|socket| Legible::new(AsyncTcpStream::Plain(socket)))
    }
}
