//! How a client sends: requests that start when they are due, however long the ones before them take, and whose time counts from when
//! they were due. A client that waits for answers before it asks again would not see the worst of an overload.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::oneshot,
    task::{JoinSet, LocalSet},
};

use crate::requests::Requests;

/// The answers by status, each with its time, and how long all took.
pub(crate) type Answers = (Vec<(u16, Duration)>, Duration);

/// The timer of the runtime wakes up to a millisecond late. A client with few requests wakes this much earlier, and looks at the clock.
const EARLY: Duration = Duration::from_millis(2);

/// How many requests in a second are few.
const FEW: f64 = 100.0;

/// So many connections.
pub(crate) async fn connect(address: &str, connections: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(one(address).await);
    }
    streams
}

async fn one(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn kept_or_new(kept: Option<TcpStream>, address: &str) -> TcpStream {
    match kept {
        Some(stream) => stream,
        None => one(address).await,
    }
}

/// Sends so many in a second, for some time, each on a connection that is free: the one that was used last, or a new one, whose
/// time counts too. With `anew`, always on a new one.
pub(crate) async fn run(address: &str, requests: Requests, rate: f64, time: Duration, anew: bool) -> Answers {
    let total = (rate * time.as_secs_f64()) as usize;
    let (requests, address): (Rc<Requests>, Rc<str>) = (requests.into(), address.into());
    let began = Instant::now();
    let free = Rc::new(RefCell::new(Vec::new()));
    let mut tasks = JoinSet::new();
    let local = LocalSet::new();
    let answers = local.run_until(async {
        let started = Instant::now();
        for number in 0..total {
            let due = started + Duration::from_secs_f64(number as f64 / rate);
            sleep_until(due, rate < FEW).await;
            let (requests, address, free) = (Rc::clone(&requests), Rc::clone(&address), Rc::clone(&free));
            tasks.spawn_local(async move {
                let kept = free.borrow_mut().pop();
                let mut stream = kept_or_new(kept, &address).await;
                let answer = (ask(&mut stream, &requests.get(number)).await, due.elapsed());
                if !anew {
                    free.borrow_mut().push(stream);
                }
                answer
            });
        }
        tasks.join_all().await
    });
    let answers = answers.await;
    // A client that cannot send as fast as it should is done later than it should be.
    (answers, began.elapsed().max(time))
}

async fn sleep_until(due: Instant, exactly: bool) {
    if !exactly {
        // What is due is sent at once, and those before it have a turn in between.
        return if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await
        } else {
            tokio::task::yield_now().await
        };
    }
    tokio::time::sleep_until(due.checked_sub(EARLY).unwrap_or(due).into()).await;
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
}

/// Asks on each connection without a pause until the end. Each begins with another request, and takes every so many-th: where there are
/// as many requests as connections, each connection always sends the same one.
pub(crate) async fn flood(streams: Vec<TcpStream>, requests: Requests, mut end: oneshot::Receiver<()>) -> Answers {
    let (began, requests, step) = (Instant::now(), Rc::new(requests), streams.len());
    let over = Rc::new(Cell::new(false));
    let answers = each(streams.into_iter().enumerate().collect(), |(first, mut stream)| {
        let (requests, over) = (Rc::clone(&requests), Rc::clone(&over));
        async move {
            let mut answers = Vec::new();
            for number in (first..).step_by(step) {
                if over.get() {
                    break;
                }
                let request = requests.get(number);
                let began = Instant::now();
                answers.push((ask(&mut stream, &request).await, began.elapsed()));
            }
            answers
        }
    });
    let mut answers = std::pin::pin!(answers);
    let answers = tokio::select! {
        answers = &mut answers => answers,
        _ = &mut end => {
            over.set(true);
            answers.await
        }
    };
    (answers, began.elapsed())
}

/// All ask once at the same moment, and connect before if they are not connected. The time of each counts from when it begins: one
/// process cannot begin them all in the same microsecond, as a crowd does.
pub(crate) async fn crowd(address: &str, streams: Vec<Option<TcpStream>>, requests: Requests) -> Answers {
    let (began, requests, address): (Instant, Rc<Requests>, Rc<str>) =
        (Instant::now(), requests.into(), address.into());
    let answers = each(streams.into_iter().enumerate().collect(), |(number, stream)| {
        let (requests, address) = (Rc::clone(&requests), Rc::clone(&address));
        async move {
            let began = Instant::now();
            let mut stream = kept_or_new(stream, &address).await;
            vec![(ask(&mut stream, &requests.get(number)).await, began.elapsed())]
        }
    });
    (answers.await, began.elapsed())
}

/// Sends byte after byte until the end, and connects again when the service closes: three quarters of the clients a body that
/// nobody reads, the others a head.
pub(crate) async fn drip(streams: Vec<TcpStream>, address: String, end: oneshot::Receiver<()>) -> Answers {
    let began = Instant::now();
    let address: Rc<str> = address.into();
    let clients = each(streams.into_iter().enumerate().collect(), |(at, mut stream)| {
        let address = Rc::clone(&address);
        async move {
            let head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
            let (begin, rest) = if at % 4 == 0 {
                (format!("{head}X: "), "y")
            } else {
                (format!("{head}Transfer-Encoding: chunked\r\n\r\n"), "1\r\nx\r\n")
            };
            loop {
                let mut sent = stream.write_all(begin.as_bytes()).await;
                for byte in rest.bytes().cycle() {
                    if sent.is_err() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    sent = stream.write_all(&[byte]).await;
                }
                stream = one(&address).await;
            }
        }
    });
    tokio::select! {
        () = async { drop(clients.await) } => {}
        _ = end => {}
    }
    (Vec::new(), began.elapsed())
}

/// Does this with each of them at once, and collects the answers.
async fn each<S: 'static, W: Future<Output = Vec<(u16, Duration)>> + 'static>(
    streams: Vec<S>,
    work: impl Fn(S) -> W,
) -> Vec<(u16, Duration)> {
    let mut tasks = JoinSet::new();
    LocalSet::new()
        .run_until(async {
            for stream in streams {
                tasks.spawn_local(work(stream));
            }
            let mut answers = Vec::new();
            while let Some(more) = tasks.join_next().await {
                answers.extend(more.unwrap());
            }
            answers
        })
        .await
}

thread_local! {
    /// Where answers are read: one place for all connections, because nobody looks at what they say.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1024]);
}

/// Sends a request and reads the whole answer, of which only the status is kept.
pub(crate) async fn ask(stream: &mut TcpStream, request: &str) -> u16 {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    let (mut left, status) = loop {
        read(stream, Some(&mut head)).await;
        let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&head[..end]).unwrap();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.trim().parse().unwrap();
        break (length + end + 4 - head.len(), text[9..12].parse().unwrap());
    };
    while left > 0 {
        left -= read(stream, None).await;
    }
    status
}

/// Reads what there is, and keeps it if it is wanted. Returns how much it was.
async fn read(stream: &TcpStream, mut kept: Option<&mut Vec<u8>>) -> usize {
    loop {
        stream.readable().await.unwrap();
        let read = BUFFER.with_borrow_mut(|buffer| {
            let read = stream.try_read(buffer)?;
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(&buffer[..read]);
            }
            Ok::<_, std::io::Error>(read)
        });
        match read {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            read => {
                let read = read.unwrap();
                assert!(read > 0, "the service closed the connection");
                return read;
            }
        }
    }
}
