//! Rows as versions before the third of the schema kept them, one by one, become groups.

use relay::activity::Status;
use relay::queue::{Attempt, HoldReason};
use rusqlite::{Connection, OptionalExtension as _, Row as Columns, Transaction};

use super::columns::status_number;
use super::group::{Client, Content, Event, Facts, Group, Refused, Row, StatusClass};
use super::hand::Held;
use crate::embedded::sqlite::{from_word, parsed};

/// Makes groups of the rows that an older version left, all of them or none.
pub(super) fn convert(writer: &mut Connection) -> rusqlite::Result<()> {
    let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'activity'";
    if writer.query_row(known, [], |_| Ok(())).optional()?.is_none() {
        return Ok(());
    }
    let transaction = writer.transaction()?;
    let rows: u64 = transaction.query_row("SELECT count(*) FROM activity", [], |row| row.get(0))?;
    if rows > 0 {
        tracing::info!(rows, "activity is brought into its new form: this happens once");
    }
    groups(&transaction)?;
    transaction.execute_batch(
        "INSERT INTO refusals SELECT account, reference, lower(recipient), coalesce(user, 0), at, row
            FROM activity WHERE message IS NULL;
        INSERT INTO changes SELECT change, first, first FROM
            (SELECT change, (SELECT max(row) FROM row_groups WHERE row <= activity.row) AS first
            FROM activity ORDER BY change);
        DROP TABLE activity;
        DROP TABLE events;
        DROP TABLE messages;",
    )?;
    transaction.commit()
}

fn groups(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut query = transaction.prepare(
        "SELECT a.row, a.applied, a.change, a.at, a.updated_at, a.status, a.recipient, a.sender, a.subject, a.message,
            coalesce(a.number, 0), a.account, a.user, a.domain, a.session, a.remote, a.tls, a.reason, a.reply,
            a.reference, a.count, a.sandbox, a.held, m.octets, m.header_octets, m.sha256, m.from_header,
            m.message_id, m.remote, m.client_name, m.tls
        FROM activity AS a LEFT JOIN messages AS m ON m.message = a.message ORDER BY a.row",
    )?;
    let mut rows = query.query([])?;
    let mut current: Option<(Held, Vec<u64>)> = None;
    while let Some(columns) = rows.next()? {
        let (row, message): (u64, Option<[u8; 16]>) = (columns.get(0)?, columns.get(9)?);
        let continues = message.is_some()
            && current
                .as_ref()
                .is_some_and(|(held, changes)| held.group.message == message && held.row + changes.len() as u64 == row);
        if !continues && let Some((held, changes)) = current.take() {
            write(transaction, held, &changes)?;
        }
        let (held, changes) = match &mut current {
            Some(known) => (&mut known.0, &mut known.1),
            None => {
                let (held, changes) = current.insert((Held::new(row, group(columns)?, facts(columns)?), Vec::new()));
                (held, changes)
            }
        };
        changes.push(columns.get(2)?);
        held.group.applied = held.group.applied.max(columns.get(1)?);
        add_row(transaction, held, row, columns)?;
    }
    current.map_or(Ok(()), |(held, changes)| write(transaction, held, &changes))
}

fn write(transaction: &Transaction<'_>, mut held: Held, changes: &[u64]) -> rusqlite::Result<()> {
    held.group.change = changes.iter().copied().max().unwrap_or_default();
    for (row, change) in held.group.rows.iter_mut().zip(changes) {
        row.age = held.group.change - change;
    }
    held.write(transaction)
}

fn group(columns: &Columns<'_>) -> rusqlite::Result<Group<String>> {
    Ok(Group {
        applied: 0,
        change: 0,
        at: columns.get(3)?,
        account: columns.get(11)?,
        user: columns.get(12)?,
        domain: columns.get(13)?,
        message: columns.get(9)?,
        session: columns.get(14)?,
        sender: columns.get(7)?,
        subject: columns.get(8)?,
        number: columns.get(10)?,
        events: Vec::new(),
        rows: Vec::new(),
        days_ahead: 0,
    })
}

/// Of a message from its own columns, of a refusal from the row's.
fn facts(columns: &Columns<'_>) -> rusqlite::Result<Facts> {
    let client = |first: usize, name: String, tls: usize| -> rusqlite::Result<Option<Client>> {
        let Some(remote) = columns.get::<_, Option<String>>(first)? else { return Ok(None) };
        let tls = columns.get::<_, Option<String>>(tls)?.unwrap_or_default();
        Ok(Some(Client { remote: parsed(&remote)?, name, tls }))
    };
    let Some(octets) = columns.get(23)? else {
        return Ok(Facts { content: None, client: client(15, String::new(), 16)?, priority: 0 });
    };
    let content = Content {
        octets,
        header_octets: columns.get(24)?,
        sha256: columns.get(25)?,
        from: columns.get(26)?,
        message_id: columns.get(27)?,
    };
    let name = columns.get::<_, Option<String>>(29)?.unwrap_or_default();
    Ok(Facts { content: Some(content), client: client(28, name, 30)?, priority: 0 })
}

fn add_row(transaction: &Transaction<'_>, held: &mut Held, row: u64, columns: &Columns<'_>) -> rusqlite::Result<()> {
    let sandbox = columns.get(21)?;
    let mut added = Row::new(columns.get(6)?, sandbox);
    added.held = columns.get::<_, Option<String>>(22)?.map(from_word::<HoldReason>).transpose()?.map(Into::into);
    if columns.get::<_, u8>(5)? == status_number(Status::Rejected) {
        added.refused = Some(Refused {
            reason: columns.get(17)?,
            reply: columns.get(18)?,
            reference: columns.get(19)?,
            count: columns.get(20)?,
            updated_at: columns.get(4)?,
        });
    }
    held.group.rows.push(added);
    let place = held.group.rows.len() - 1;
    let mut events = transaction.prepare_cached(
        "SELECT at, status, reason, reply, until, attempted_at, milliseconds, host, remote, tls FROM events
        WHERE row = ?1 ORDER BY number",
    )?;
    let events = events.query_map([row], event)?;
    for event in events {
        held.append(place, event?);
    }
    Ok(())
}

fn event(row: &Columns<'_>) -> rusqlite::Result<Event<String>> {
    let attempt = match row.get::<_, Option<u64>>(5)? {
        Some(at) => Some(Attempt {
            at: relay::clock::Timestamp(at),
            milliseconds: row.get(6)?,
            host: row.get(7)?,
            remote: row.get::<_, Option<String>>(8)?.map(|remote| parsed(&remote)).transpose()?,
            tls: row.get(9)?,
            source: None,
            others: Vec::new(),
        }),
        None => None,
    };
    Ok(Event {
        at: row.get(0)?,
        kind: StatusClass::plain(row.get(1)?),
        reason: row.get(2)?,
        reply: row.get(3)?,
        until: row.get(4)?,
        attempt: attempt.as_ref().map(Into::into),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use relay::activity::{ActivityFilter, Status};
    use relay::clock::Timestamp;
    use relay::id::{Id, MessageId};
    use relay::queue::{Outcome, Settlement, Verdict};

    use super::super::{File, query, schema};
    use crate::embedded::spool::{Batch, Event, Position};
    use crate::embedded::sqlite;
    use crate::rows::FOLD;

    /// What the second version of the schema left of a message that was deferred and delivered, of one with a
    /// suppressed recipient whose first recipient is pruned already, and of a refusal.
    const OLD: &str = "
INSERT INTO messages VALUES
    (x'000102030405060708090a0b0c0d0e0f', 700, 120, zeroblob(32), 'shop@example.com', '<1@example.com>',
        '192.0.2.1', 'client.example.com', 'TLS 1.3'),
    (x'000102030405060708090a0b0c0d0eff', 900, 130, zeroblob(32), '', '', NULL, NULL, NULL);
INSERT INTO activity VALUES
    (4, 40, 7, 3600000, 3602000, 3, 'Anna@example.org', 'example.org', 'shop@example.com', 'Your order',
        x'000102030405060708090a0b0c0d0e0f', 0, 1, 2, 3, x'0000000000000000000000000000004d', NULL, NULL, '', '', '',
        2, 1, 0, NULL, 2, 2),
    (6, 20, 5, 3600000, 3601000, 2, 'b@example.org', 'example.org', 'shop@example.com', 'Second',
        x'000102030405060708090a0b0c0d0eff', 1, 1, NULL, NULL, NULL, NULL, NULL, '', '', '',
        0, 1, 0, 'operator', 1, 0),
    (7, 10, 4, 3600000, 3600000, 0, 'gone@example.org', 'example.org', 'shop@example.com', 'Second',
        x'000102030405060708090a0b0c0d0eff', 2, 1, NULL, NULL, NULL, NULL, NULL, 'On the list.', '',
        'recipient-suppressed', 0, 1, 0, NULL, 0, 0),
    (8, 50, 8, 3600500, 3600900, 0, 'No@example.org', 'example.org', 'shop@example.com', '',
        NULL, NULL, 1, 2, NULL, x'0000000000000000000000000000004e', '2001:db8::1', 'TLS 1.2', 'Too many.', '452 4.5.3',
        'recipients-max', 0, 6, 0, NULL, 0, 0);
INSERT INTO events VALUES
    (4, 1, 3601000, 4, 'Busy.', '451 4.7.1 Later', 3700000, 3600900, 90, 'mx.example.org', '192.0.2.9:25', 'TLS 1.3'),
    (4, 2, 3602000, 3, '', '250 Ok', NULL, 3601900, 80, 'mx.example.org', '192.0.2.9:25', 'TLS 1.3'),
    (6, 1, 3601000, 2, 'Held.', '', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO hours VALUES (1, 4, 8);
UPDATE progress SET position = 50, change = 8, row = 8;
";

    fn converted() -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("activity.db");
        let older = sqlite::open_writer(&path, &schema::MIGRATIONS[..2]).unwrap();
        older.execute_batch(OLD).unwrap();
        drop(older);
        // once more finds nothing to do
        drop(File::open(&path).unwrap());
        (folder, File::open(&path).unwrap())
    }

    #[test]
    fn rows_of_the_second_version_are_told_as_before() {
        let (_folder, file) = converted();
        let rows = query::activity(&file.writer, &ActivityFilter::default()).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.row, row.recipient.as_str(), row.status, row.count)).collect();
        let expected = [
            (8, "No@example.org", Status::Rejected, 6),
            (7, "gone@example.org", Status::Rejected, 1),
            (6, "b@example.org", Status::Pending, 1),
            (4, "Anna@example.org", Status::Delivered, 1),
        ];
        assert_eq!(told, expected);
        assert_eq!((rows[0].reply.as_str(), rows[0].updated_at), ("452 4.5.3", Timestamp(3_600_900)));
        assert_eq!(rows[1].reference, "recipient-suppressed");
        assert_eq!((rows[2].held.is_some(), rows[2].reason.as_str()), (true, "Held."));
        let anna = query::detail(&file.writer, 4).unwrap().unwrap();
        assert_eq!(anna.row, rows[3]);
        assert_eq!(anna.row.last_attempt.as_ref().unwrap().milliseconds, 80);
        let events: Vec<_> = anna.events.iter().map(|event| (event.at.0, event.status)).collect();
        assert_eq!(
            events,
            [(3_600_000, Status::Accepted), (3_601_000, Status::Deferred), (3_602_000, Status::Delivered)]
        );
        assert_eq!(anna.events[1].until, Some(Timestamp(3_700_000)));
        assert_eq!(anna.session.unwrap().client_name, "client.example.com");
        let facts = anna.facts.unwrap();
        assert_eq!(
            (facts.octets, facts.message_id.as_str(), facts.subject.as_str()),
            (700, "<1@example.com>", "Your order")
        );
        let refusal = query::detail(&file.writer, 8).unwrap().unwrap();
        assert_eq!((refusal.facts, refusal.session.unwrap().tls.as_str()), (None, "TLS 1.2"));
        let followed = query::since(&file.writer, 4, &ActivityFilter::default()).unwrap();
        assert_eq!(followed.0.iter().map(|row| row.row).collect::<Vec<_>>(), [6, 4, 8]);
        assert_eq!(followed.1, 8);
    }

    #[test]
    fn rows_of_the_second_version_go_on() {
        let (_folder, mut file) = converted();
        let verdict = |recipient| Verdict {
            recipient,
            outcome: Outcome::Delivered { sandbox: false },
            class: None,
            reason: String::new(),
            remote_reply: None,
        };
        let settlement = Settlement {
            message: MessageId(0x0001_0203_0405_0607_0809_0a0b_0c0d_0eff),
            at: Timestamp(3_605_000),
            attempt: None,
            // the first is pruned, the last was never to be delivered
            verdicts: (0..3).map(verdict).collect(),
        };
        let batch = |position| Batch {
            events: vec![(Position(position), Event::Settled(settlement.clone()))],
            next: Position(position),
        };
        file.apply(&batch(20), FOLD).unwrap();
        assert_eq!(file.progress.change, 8, "that one was applied before");
        file.apply(&batch(60), FOLD).unwrap();
        let delivered = ActivityFilter { status: Some(Status::Delivered), ..ActivityFilter::default() };
        let delivered = query::activity(&file.writer, &delivered).unwrap();
        assert_eq!(delivered.iter().map(|row| row.row).collect::<Vec<_>>(), [6, 4]);
        assert_eq!(query::detail(&file.writer, 6).unwrap().unwrap().events.len(), 3);
        let alike = ActivityFilter { account: Some(Id::new(1)), ..ActivityFilter::default() };
        assert_eq!(query::activity(&file.writer, &alike).unwrap().len(), 4);
    }
}
