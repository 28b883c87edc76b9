//! The binary: an allocator, and the command line.

/// Small allocations of many sessions on many threads are what it is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    envoi::cli::main()
}
