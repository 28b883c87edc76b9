//! The contract of the disk.

use std::ffi::OsStr;

use super::*;

fn disk() -> Disk {
    Disk::new(1 << 20, Dice::new(1))
}

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

fn content(disk: &mut Disk, of: &str) -> Option<Vec<u8>> {
    let number = disk.find(ROOT, name(of)).ok()?;
    Some(disk.read(number, 0, 1 << 20).unwrap().to_vec())
}

/// A file whose name is kept.
fn file(disk: &mut Disk, called: &str) -> u64 {
    let number = disk.make(ROOT, name(called), Kind::File, 0o600).unwrap();
    disk.sync(ROOT).unwrap();
    number
}

#[test]
fn what_was_synced_survives_every_cut() {
    for cut in [Cut::Whole, Cut::Part, Cut::Reordered, Cut::Nothing] {
        let mut disk = disk();
        let number = file(&mut disk, "a");
        disk.write(number, 0, b"one").unwrap();
        disk.sync(number).unwrap();
        disk.cut(cut);
        assert_eq!(content(&mut disk, "a").unwrap(), b"one", "{cut:?}");
    }
}

#[test]
fn what_was_not_synced_is_seen_until_the_power_goes() {
    let mut disk = disk();
    let number = file(&mut disk, "a");
    disk.write(number, 0, b"one").unwrap();
    disk.sync(number).unwrap();
    disk.write(number, 0, b"two and more").unwrap();
    assert_eq!(content(&mut disk, "a").unwrap(), b"two and more");
    let loss = disk.cut(Cut::Whole);
    assert_eq!(loss, Loss { writes: 1, writes_lost: 1, names: 0, names_lost: 0 });
    assert_eq!(content(&mut disk, "a").unwrap(), b"one");
    disk.write(number, 0, b"two").unwrap();
    disk.cut(Cut::Nothing);
    assert_eq!(content(&mut disk, "a").unwrap(), b"two");
}

#[test]
fn a_synced_file_is_lost_with_its_unsynced_name() {
    let mut disk = disk();
    let number = disk.make(ROOT, name("a"), Kind::File, 0o600).unwrap();
    disk.write(number, 0, b"one").unwrap();
    disk.sync(number).unwrap();
    disk.cut(Cut::Whole);
    assert_eq!(content(&mut disk, "a"), None);
}

#[test]
fn a_name_comes_back_where_its_end_was_not_synced() {
    let mut disk = disk();
    let number = file(&mut disk, "a");
    disk.write(number, 0, b"one").unwrap();
    disk.sync(number).unwrap();
    disk.looked_up(number);
    disk.remove(ROOT, name("a")).unwrap();
    disk.forget(number, 1);
    assert_eq!(content(&mut disk, "a"), None);
    disk.cut(Cut::Whole);
    assert_eq!(content(&mut disk, "a").unwrap(), b"one");
    disk.remove(ROOT, name("a")).unwrap();
    disk.sync(ROOT).unwrap();
    disk.cut(Cut::Whole);
    assert_eq!(content(&mut disk, "a"), None);
}

#[test]
fn a_rename_happens_whole_or_not() {
    for seed in 0..20 {
        let mut disk = Disk::new(1 << 20, Dice::new(seed));
        for (called, octets) in [("a", b"old"), ("a.new", b"new")] {
            let number = file(&mut disk, called);
            disk.write(number, 0, octets).unwrap();
            disk.sync(number).unwrap();
        }
        disk.rename(ROOT, name("a.new"), name("a")).unwrap();
        disk.cut(Cut::Reordered);
        let found = (content(&mut disk, "a").unwrap(), content(&mut disk, "a.new").is_some());
        assert!(found == (b"old".to_vec(), true) || found == (b"new".to_vec(), false), "{found:?}");
    }
}

#[test]
fn a_cut_in_part_leaves_what_came_before() {
    let mut halves = 0;
    for seed in 0..40 {
        let mut disk = Disk::new(1 << 20, Dice::new(seed));
        let numbers = [file(&mut disk, "a"), file(&mut disk, "b")];
        for number in numbers {
            disk.write(number, 0, &[7; 2048]).unwrap();
        }
        disk.cut(Cut::Part);
        let (first, second) = (content(&mut disk, "a").unwrap(), content(&mut disk, "b").unwrap());
        assert!(first.len() == 2048 || second.is_empty(), "the second came, and of the first {} octets", first.len());
        assert_eq!(first.len() % SECTOR_OCTETS, 0);
        halves += u32::from(first.len() == 2048 && second.len() < 2048);
    }
    assert!(halves > 0, "no cut came between the two");
}

#[test]
fn a_reordered_cut_leaves_the_later_and_takes_the_earlier() {
    let is_reordered = |seed| {
        let mut disk = Disk::new(1 << 20, Dice::new(seed));
        let number = file(&mut disk, "a");
        disk.write(number, 0, &[1; 512]).unwrap();
        disk.write(number, 512, &[2; 512]).unwrap();
        disk.cut(Cut::Reordered);
        let found = content(&mut disk, "a").unwrap();
        found.len() == 1024 && found[0] == 0
    };
    assert!((0..40).any(is_reordered));
}

#[test]
fn a_failed_sync_loses_what_a_second_one_cannot_keep() {
    let mut disk = disk();
    let number = file(&mut disk, "a");
    disk.write(number, 0, b"one").unwrap();
    disk.sync_failed(number).unwrap();
    assert_eq!(content(&mut disk, "a").unwrap(), b"one");
    disk.sync(number).unwrap();
    disk.cut(Cut::Whole);
    assert_eq!(content(&mut disk, "a").unwrap(), b"");
}

#[test]
fn room_is_counted_in_blocks() {
    let mut disk = Disk::new(3 * BLOCK_OCTETS, Dice::new(1));
    let number = file(&mut disk, "a");
    disk.write(number, 0, b"x").unwrap();
    assert_eq!(disk.free(), 2 * BLOCK_OCTETS);
    disk.allocate(number, 3 * BLOCK_OCTETS).unwrap();
    assert_eq!(disk.write(number, 3 * BLOCK_OCTETS, b"x"), Err(libc::ENOSPC));
    // what is allocated can be written
    disk.capacity = 0;
    disk.write(number, BLOCK_OCTETS, b"x").unwrap();
}
