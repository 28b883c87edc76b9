//! A spool that somebody damaged, or forged: it starts, says so, and takes nothing damaged for good.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use relay::store::StoreError;
use store::embedded::spool::fuzzing::{Files, Forged, Steps, content, envelope, forged, forged_checkpoint};

/// Octets that a disk writes at once.
const SECTOR_OCTETS: usize = 512;
/// Octets between places where records may begin.
const BOUNDARY_OCTETS: usize = 64;
/// The message that is committed after the damage.
const AFTERWARDS: u128 = 1_000;

/// What happened to messages before the damage.
const SETTLED: [u128; 2] = [2, 7];
/// Acknowledged, unsettled, and followed by a later sync, which proves them.
const PROVED: [u128; 7] = [1, 3, 4, 5, 6, 8, 10];
/// In the last write: a crash may have cut it.
const LAST: [u128; 2] = [11, 12];
/// What became of these was synced just before, and nothing but the last write proves that it was: where all three are
/// damaged, they look like one write that a crash has cut.
const PROVED_BY_LAST: [u128; 2] = [7, 10];

/// Damages a real spool, or forges one, as the octets say; starts it.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    match data.split_first() {
        Some((control, rest)) if control & 1 == 0 => damaged(*control, rest),
        Some((_, rest)) => forgery(rest),
        None => {}
    }
}

/// The files of a spool with a history, as a crash would leave them.
fn history() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| match written() {
        Ok(files) => files,
        Err(error) => panic!("{error}"),
    })
}

fn written() -> Result<Files, StoreError> {
    let mut spool = Steps::start(Files::new())?;
    for message in 1..=5 {
        spool.commit(message)?;
    }
    spool.sync()?;
    spool.deliver(2, 0..3);
    spool.deliver(1, 0..1);
    spool.hold(3);
    spool.seal(4);
    spool.sync()?;
    spool.checkpoint()?;
    for message in [6, 7, 8] {
        spool.commit(message)?;
    }
    spool.sync()?;
    spool.roll()?;
    spool.deliver(7, 0..2);
    spool.commit(10)?;
    spool.sync()?;
    for message in LAST {
        spool.commit(message)?;
    }
    spool.sync()?;
    Ok(spool.files())
}

/// Changes octets of a real spool. Each change is four octets: what, which file, where (two).
fn damaged(control: u8, changes: &[u8]) {
    let mut files = history().clone();
    if control & 2 != 0 {
        files.remove("checkpoint");
    }
    let mut harmed = false;
    let (changes, _) = changes.as_chunks::<4>();
    for [how, which, high, low] in changes {
        let count = files.len();
        let Some(file) = files.values_mut().nth(usize::from(*which) % count) else { continue };
        let before = file.clone();
        harm(file, *how, usize::from(u16::from_be_bytes([*high, *low])));
        harmed |= *file != before;
    }
    let mut spool = match Steps::start(files) {
        Ok(spool) => spool,
        Err(error) => panic!("damage keeps the spool from starting: {error}"),
    };
    let live = judged(&spool);
    let told = spool.damage();
    assert!(harmed || told.is_empty(), "nothing was damaged, and yet: {told:?}");
    let has_proof =
        |message: &u128| !PROVED_BY_LAST.contains(message) || LAST.iter().any(|last| live.contains_key(last));
    for message in PROVED.iter().filter(|message| has_proof(message)) {
        assert!(live.contains_key(message) || !told.is_empty(), "message {message} is gone, and nobody says so");
    }
    for message in SETTLED.iter().filter(|message| has_proof(message)) {
        assert!(!live.contains_key(message) || !told.is_empty(), "message {message} is back, and nobody says why");
    }
    if !harmed {
        assert!(PROVED.iter().chain(&LAST).all(|message| live.contains_key(message)));
    }
    // what is taken now is kept, whatever lies around it
    if spool.make_room().and_then(|()| spool.commit(AFTERWARDS)).and_then(|()| spool.sync()).is_ok() {
        let again = match Steps::start(spool.files()) {
            Ok(again) => again,
            Err(error) => panic!("it does not start again: {error}"),
        };
        assert!(
            judged(&again).contains_key(&AFTERWARDS),
            "what was kept after the damage is lost: {:?}",
            again.damage()
        );
    }
}

/// One change of a file's octets.
fn harm(file: &mut Vec<u8>, how: u8, at: usize) {
    if file.is_empty() {
        return;
    }
    let at = at % file.len();
    match how {
        // a write that never arrived
        0xFD => {
            let from = at - at % SECTOR_OCTETS;
            let to = file.len().min(from + SECTOR_OCTETS);
            file[from..to].fill(0);
        }
        // one that went elsewhere
        0xFE => {
            let from = at - at % BOUNDARY_OCTETS;
            let sector: Vec<u8> = file[from..file.len().min(from + SECTOR_OCTETS)].to_vec();
            let to = (from + 3 * SECTOR_OCTETS) % file.len();
            let room = sector.len().min(file.len() - to);
            file[to..to + room].copy_from_slice(&sector[..room]);
        }
        0xFF => file.truncate(at),
        how => file[at] ^= how,
    }
}

/// Whatever is live, each message that can be read is as it was written.
fn judged(spool: &Steps) -> BTreeMap<u128, bool> {
    let judge = |(message, read)| match read {
        Ok((found, octets)) => {
            assert!(found == envelope(message), "the envelope of message {message} is not its own");
            assert!(octets == content(message), "the content of message {message} is not its own");
            (message, true)
        }
        Err(_) => (message, false),
    };
    spool.live().into_iter().map(judge).collect()
}

/// Records and a checkpoint of whatever octets, every checksum right: whoever can write that could do worse, but
/// it must not stop the start with a panic.
fn forgery(data: &[u8]) {
    let Some(([base, previous, checkpoint], mut rest)) = data.split_first_chunk::<3>() else { return };
    let place = |octet: u8| match octet {
        0xFF => u64::MAX,
        octet => u64::from(octet & 0x0F) << (octet >> 4 << 2),
    };
    let mut records = Vec::new();
    while let Some(([kind, message, synced, meta, content], after)) = rest.split_first_chunk::<5>() {
        let (meta, after) = after.split_at(usize::from(*meta).min(after.len()));
        let (content, after) = after.split_at(usize::from(*content).min(after.len()));
        let (message, synced) = (u128::from(*message), place(*synced));
        records.push(Forged { kind: kind % 10, message, synced, meta, content });
        rest = after;
    }
    let Ok(mut files) = forged(place(*base), place(*previous), &records) else { return };
    if checkpoint & 1 == 1 {
        let pages: Vec<&[u8]> = records.iter().flat_map(|record| [record.meta, record.content]).collect();
        files.insert("checkpoint".to_owned(), forged_checkpoint(&pages));
    }
    if let Ok(spool) = Steps::start(files) {
        let _ = (spool.live(), spool.damage());
    }
}
