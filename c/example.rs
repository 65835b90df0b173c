//! What a Rust program does to be watched, by what mmstats.h declares:
//!
//!     rustc example.rs -L build -l static=mmstats -l m && ./example

use std::ffi::{c_char, CStr, CString};
use std::ptr;
use std::thread;
use std::time::Duration;

#[repr(C)]
struct Publisher {
    _private: [u8; 0],
}

#[repr(C)]
struct Raw {
    _private: [u8; 0],
}

extern "C" {
    fn mmstats_open(options: *const u8) -> *mut Publisher;
    fn mmstats_close(publisher: *mut Publisher);
    fn mmstats_file(publisher: *mut Publisher) -> *const c_char;
    fn mmstats_counter(publisher: *mut Publisher, label: *const c_char, about: *const u8) -> *mut Raw;
    fn mmstats_timer(publisher: *mut Publisher, label: *const c_char, about: *const u8) -> *mut Raw;
    fn mmstats_text(publisher: *mut Publisher, label: *const c_char, about: *const u8) -> *mut Raw;
    fn mmstats_incr(counter: *mut Raw, amount: u64);
    fn mmstats_set_text(text: *mut Raw, utf8: *const c_char);
    fn mmstats_now() -> u64;
    fn mmstats_since(timer: *mut Raw, begin: u64);
}

/// Threads may do anything at any time: mmstats.h says so.
#[derive(Clone, Copy)]
struct Stat(*mut Raw);

unsafe impl Send for Stat {}

impl Stat {
    fn incr(self, amount: u64) {
        unsafe { mmstats_incr(self.0, amount) }
    }

    fn since(self, begin: u64) {
        unsafe { mmstats_since(self.0, begin) }
    }

    fn set_text(self, text: &str) {
        let text = CString::new(text).expect("a text without NUL");
        unsafe { mmstats_set_text(self.0, text.as_ptr()) }
    }
}

fn main() {
    let rounds: u32 = std::env::args().nth(1).map_or(10, |word| word.parse().expect("a number of rounds"));
    let named = |name: &str| CString::new(name).expect("a label without NUL");
    let publisher = unsafe { mmstats_open(ptr::null()) };
    let (jobs, latency, phase) = unsafe {
        (
            Stat(mmstats_counter(publisher, named("jobs").as_ptr(), ptr::null())),
            Stat(mmstats_timer(publisher, named("latency").as_ptr(), ptr::null())),
            Stat(mmstats_text(publisher, named("phase").as_ptr(), ptr::null())),
        )
    };
    phase.set_text("working");
    let work = move || {
        let (jobs, latency) = (jobs, latency); // the whole of each, which may be sent
        for _ in 0..rounds {
            let begin = unsafe { mmstats_now() };
            thread::sleep(Duration::from_millis(2));
            jobs.incr(1);
            latency.since(begin);
        }
    };
    let threads: Vec<_> = (0..2).map(|_| thread::spawn(work)).collect();
    for thread in threads {
        thread.join().expect("it does not panic");
    }
    phase.set_text("done");
    unsafe {
        println!("{}", CStr::from_ptr(mmstats_file(publisher)).to_str().expect("a path in UTF-8"));
        mmstats_close(publisher);
    }
}
