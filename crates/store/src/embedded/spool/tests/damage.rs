//! Damage: told until it is acknowledged, its octets set aside, and told apart from a torn tail where that can be.

use relay::id::MessageId;
use relay::store::StoreError;

use super::super::checkpoint;
use super::super::damage::FOLDER;
use super::super::disk::{Disk as _, DiskFile as _};
use super::super::record::{Header, VERSION};
use super::fake_disk::{FakeDisk, Seeded};
use super::faults::{fill, place, settle, told};
use super::rig::{Rig, tiny};

fn restarted(rig: Rig) -> Rig {
    let disk = rig.disk.clone();
    rig.restart(disk)
}

/// The names of what was set aside.
fn aside(rig: &Rig) -> Vec<String> {
    rig.disk.names().into_iter().filter(|name| name.starts_with(FOLDER)).collect()
}

#[test]
fn damage_is_told_at_each_start_until_it_is_acknowledged() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..15);
    let (name, offset) = place(&rig, 12);
    rig.disk.damage(&name, offset + 4, 8);
    let rig = restarted(rig);
    let first = told(&rig);
    assert_eq!(first.len(), 1, "{first:?}");
    // from here on no start reads that part of the log
    checkpoint::write(&rig.shared, false).unwrap();
    let rig = restarted(rig);
    assert_eq!(told(&rig), first);
    let rig = rig.reopen();
    assert_eq!(told(&rig), first);
    {
        let mut state = rig.shared.state();
        state.damage.clear();
        state.damage_changed = true;
    }
    rig.shared.keep_damage().unwrap();
    let rig = restarted(rig);
    assert_eq!(told(&rig), Vec::<String>::new());
    assert_eq!(aside(&rig).len(), 1, "what was set aside is the operator's");
}

#[test]
fn what_is_stepped_over_is_set_aside_before_its_segment_is_used_again() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..14);
    let (name, offset) = place(&rig, 12);
    rig.disk.damage(&name, offset + 4, 8);
    let was = rig.disk.image(&name)[offset..offset + 3_000].to_vec();
    let mut rig = restarted(rig);
    settle(&mut rig, [11, 13]);
    for round in 1..8u128 {
        let messages = 100 * round + 10..100 * round + 30;
        fill(&mut rig, messages.clone());
        settle(&mut rig, messages);
        rig.consume();
        rig.keep(1_000);
    }
    let copies = aside(&rig);
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(rig.disk.image(&copies[0])[..3_000], was);
    assert_ne!(rig.disk.image(&name)[offset..offset + 3_000], was, "the segment was not used again");
}

#[test]
fn a_list_of_damage_that_cannot_be_read_is_damage_too() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..14);
    let (name, offset) = place(&rig, 12);
    rig.disk.damage(&name, offset + 4, 8);
    let rig = restarted(rig);
    checkpoint::write(&rig.shared, false).unwrap();
    rig.disk.damage("damage.json", 0, 8);
    let rig = restarted(rig);
    assert_eq!(told(&rig).len(), 1);
    assert!(told(&rig)[0].starts_with("damage.json: what earlier starts found damaged cannot be read"));
    assert!(aside(&rig).iter().any(|name| name.ends_with("damage.json")));
    let rig = restarted(rig);
    assert_eq!(told(&rig).len(), 1, "the new list can be read");
}

#[test]
fn damage_in_the_last_write_is_told_where_activity_has_read_it() {
    for part in [4, 2_000] {
        let mut rig = Rig::new(tiny());
        fill(&mut rig, 11..14);
        let end = rig.shared.state().synced;
        let (name, offset) = place(&rig, 13);
        rig.consume();
        rig.disk.damage(&name, offset + part, 8);
        let mut rig = restarted(rig);
        let damage = told(&rig);
        assert_eq!(damage.len(), 1, "{damage:?}");
        assert!(damage[0].contains(&format!("{name} at octet {offset}")), "{damage:?}");
        assert!(rig.shared.state().synced >= end, "a position would be given twice");
        if part == 2_000 {
            assert!(matches!(rig.shared.read(MessageId(13)), Err(StoreError::Damaged(_))));
        }
        fill(&mut rig, 20..22);
        rig.consume();
        let rig = restarted(rig);
        assert_eq!(told(&rig), damage);
        assert!(rig.shared.read(MessageId(21)).unwrap().is_some());
    }
}

#[test]
fn a_bad_sector_in_the_last_write_that_activity_has_read_does_not_stop_the_start() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..14);
    let (name, offset) = place(&rig, 13);
    rig.consume();
    rig.disk.make_unreadable(&name, offset + 2_000);
    let mut rig = restarted(rig);
    assert!(!told(&rig).is_empty());
    fill(&mut rig, 20..22);
    assert!(rig.shared.read(MessageId(21)).unwrap().is_some());
}

#[test]
fn damage_in_the_last_write_that_nothing_has_read_is_a_torn_tail() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..13);
    rig.consume();
    fill(&mut rig, 13..14);
    let (name, offset) = place(&rig, 13);
    rig.disk.damage(&name, offset + 2_000, 1);
    // nothing on the disk says that this write was ever finished
    let rig = restarted(rig);
    assert_eq!(told(&rig), Vec::<String>::new());
    assert_eq!(rig.live(|_| 3_000).len(), 2);
}

#[test]
fn a_log_that_ends_before_what_activity_has_read_is_told() {
    let mut rig = Rig::new(tiny());
    fill(&mut rig, 11..14);
    let older = rig.disk.after_power_cut(&mut Seeded(1));
    for first in [14, 24, 34, 44] {
        fill(&mut rig, first..first + 10);
        rig.keep(1_000);
    }
    rig.consume();
    let rig = rig.restart(older);
    let damage = told(&rig);
    assert!(damage.iter().any(|told| told.contains("the log ends here, and activity has read it")), "{damage:?}");
    assert_eq!(rig.live(|_| 3_000).len(), 3);
}

#[test]
fn what_a_newer_version_wrote_is_refused_in_words_and_left_as_it_is() {
    let rig_of = || {
        let mut rig = Rig::new(tiny());
        fill(&mut rig, 11..14);
        checkpoint::write(&rig.shared, false).unwrap();
        fill(&mut rig, 14..16);
        rig
    };
    let refused = |rig: Rig, wanted: &str| {
        let files = |disk: &FakeDisk| -> Vec<(String, Vec<u8>)> {
            disk.names().into_iter().map(|name| (name.clone(), disk.image(&name))).collect()
        };
        let (disk, before) = (rig.disk.clone(), files(&rig.disk));
        let Err(error) = Rig::over(disk.clone(), tiny(), rig.consumed) else { panic!("{wanted} was opened") };
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(wanted) && text.contains("newer version of the relay"), "{text}");
        assert!(files(&disk) == before, "something was changed");
    };
    let rig = rig_of();
    let octets = rig.disk.image("checkpoint").len();
    put(&rig, "checkpoint", 0, b"check-02");
    put(&rig, "checkpoint", octets - 12, &sealed(b"check-02"));
    refused(rig, "checkpoint has the form check-02");
    let rig = rig_of();
    let (name, _) = place(&rig, 12);
    let header = [&b"spool-02"[..], &rig.disk.image(&name)[8..76]].concat();
    put(&rig, &name, 0, &sealed(&header));
    put(&rig, &name, 60 * 1024, &sealed(&header));
    refused(rig, "has the form spool-02");
    // a record, its header right, of a later version or of a kind that is not known
    let rig = rig_of();
    let (name, offset) = place(&rig, 15);
    let life = rig.shared.state().head().unwrap().header.life();
    let mut header = Header::decode(&rig.disk.image(&name)[offset..], life).unwrap();
    header.version = VERSION + 1;
    put(&rig, &name, offset, &header.encode(life));
    refused(rig, "wrote this record");
}

#[test]
fn a_damaged_octet_of_a_form_is_no_newer_version() {
    let rig_of = || {
        let mut rig = Rig::new(tiny());
        fill(&mut rig, 11..14);
        checkpoint::write(&rig.shared, false).unwrap();
        rig
    };
    let told_of = |rig: Rig, file: &str| {
        let rig = restarted(rig);
        assert!(told(&rig).iter().any(|told| told.contains(file)), "{:?}", told(&rig));
        assert_eq!(rig.live(|_| 3_000).len(), 3);
    };
    let rig = rig_of();
    put(&rig, "checkpoint", 0, b"check-41");
    told_of(rig, "checkpoint");
    // at both ends alike
    let rig = rig_of();
    let octets = rig.disk.image("checkpoint").len();
    put(&rig, "checkpoint", 0, b"check-41");
    put(&rig, "checkpoint", octets - 12, b"check-41");
    told_of(rig, "checkpoint");
    let rig = rig_of();
    let (name, _) = place(&rig, 12);
    put(&rig, &name, 0, b"spool-11");
    put(&rig, &name, 60 * 1024, b"spool-11");
    told_of(rig, &name);
}

/// With its checksum behind it.
fn sealed(octets: &[u8]) -> Vec<u8> {
    [octets, &crc32c::crc32c(octets).to_le_bytes()].concat()
}

fn put(rig: &Rig, name: &str, offset: usize, octets: &[u8]) {
    rig.disk.open(name).unwrap().write_at(&mut [std::io::IoSlice::new(octets)], offset as u64).unwrap();
}
