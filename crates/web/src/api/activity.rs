//! Activity and Connections: what became of every recipient, and what went wrong before.

use relay::activity::{ActivityFilter, Status};
use relay::clock::Timestamp;
use relay::id::{Id, MessageId};
use relay::outcome::Class;
use relay::service::Fault;
use relay::service::operation::{Operation, WAIT_SECONDS_MAX};
use relay::service::view::{ActivityChangesView, ActivityDetailView, ActivityView, ConnectionView, StatisticsView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::asking::{Asking, Outcome, Path, Query};
use super::page::{Page, limit};
use super::problem::Problem;

/// The thing with this number; beyond what the store counts to there is none.
fn named<T>(number: Option<u64>, what: &str) -> Result<Option<Id<T>>, Problem> {
    match number {
        Some(number) if i64::try_from(number).is_err() => {
            Err(Fault::not_found(format!("There is no {what} {number}."), "The list of them shows which there are.")
                .into())
        }
        number => Ok(number.map(Id::new)),
    }
}

/// The search of rows and that of changes: what both take, and what one alone does.
macro_rules! searches {
    ($($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $kind:ty,)* })+) => {
        $(
            $(#[$about])*
            #[derive(Deserialize, IntoParams)]
            #[serde(deny_unknown_fields)]
            #[into_params(parameter_in = Query)]
            pub(super) struct $name {
                /// Of this account alone; with a key of an account its own.
                account: Option<u64>,
                /// Of the sending domain of this number alone.
                domain: Option<u64>,
                /// Of the SMTP user of this number alone.
                user: Option<u64>,
                /// Recipient: an address, its beginning, or `@domain`.
                recipient: Option<String>,
                /// Sender: likewise.
                sender: Option<String>,
                /// Words of the subject, or their beginnings: rows have all of them.
                subject: Option<String>,
                /// `rejected`, `accepted`, `pending`, `delivered`, `deferred`, `soft_bounce`, `hard_bounce` or `complaint`.
                #[param(value_type = Option<String>)]
                status: Option<Status>,
                /// Of this class of failure, such as `mailbox_full` (docs/reference/bounces.md).
                #[param(value_type = Option<String>)]
                class: Option<Class>,
                /// Of this message.
                message: Option<String>,
                /// Begun at or after: RFC 3339, or a day.
                since: Option<String>,
                /// Begun before.
                until: Option<String>,
                /// At most so many rows; 100 where absent.
                #[param(minimum = 1, maximum = 1000)]
                limit: Option<u32>,
                $($(#[$of])* $field: $kind,)*
            }

            impl $name {
                /// The filter, without its cursor.
                fn filter(&self) -> Result<ActivityFilter, Problem> {
                    Ok(ActivityFilter {
                        account: self.account.map(Id::new),
                        domain: named(self.domain, "domain")?,
                        user: named(self.user, "SMTP user")?,
                        recipient: self.recipient.clone(),
                        sender: self.sender.clone(),
                        subject: self.subject.clone(),
                        status: self.status,
                        class: self.class,
                        message: self.message.as_deref().map(message).transpose()?,
                        since: self.since.as_deref().map(moment).transpose()?,
                        until: self.until.as_deref().map(moment).transpose()?,
                        limit: limit(self.limit)?,
                        before_row: None,
                    })
                }
            }
        )+
    };
}

searches! {
    /// Which rows.
    Rows {
        /// What the page before gave as `next`.
        #[param(maximum = 9_223_372_036_854_775_807_u64)]
        cursor: Option<u64>,
    }
    /// Which changes.
    Changes {
        /// What the answer before gave as `cursor`.
        cursor: Option<String>,
        /// How many seconds to wait where there are none.
        #[param(maximum = 30)]
        wait: Option<u32>,
    }
}

fn message(given: &str) -> Result<MessageId, Problem> {
    given.parse().map_err(|_| Problem::unreadable("`message` is not the id of a message."))
}

/// A moment or a day that a request names.
pub(super) fn moment(given: &str) -> Result<Timestamp, Problem> {
    relay::moment::parse(given).map_err(|what| Problem::unreadable(&what))
}

/// A cursor that was given once: none is as high as what a signed number cannot hold.
pub(super) fn cursor(given: Option<u64>) -> Result<Option<u64>, Problem> {
    match given {
        Some(given) if i64::try_from(given).is_err() => Err(Problem::unreadable("`cursor` was never given.")),
        given => Ok(given),
    }
}

/// Searches Activity, newest first.
#[utoipa::path(get, path = "/activity", operation_id = "Activity", tag = "Activity", params(Rows),
    responses((status = 200, body = Page<ActivityView>)))]
pub(super) async fn activity(asking: Asking, Query(search): Query<Rows>) -> Outcome<Page<ActivityView>> {
    let filter = ActivityFilter { before_row: cursor(search.cursor)?, ..search.filter()? };
    let limit = filter.limit;
    let page = |rows: Vec<ActivityView>| Page::new(rows, limit, |row| row.row.to_string());
    asking.shown(Operation::Activity { filter }, page).await
}

/// What has changed in Activity since a cursor was given; waits where nothing has. Without a cursor it gives the one of
/// now, and no rows.
#[utoipa::path(get, path = "/activity/changes", operation_id = "ActivitySince", tag = "Activity", params(Changes),
    responses((status = 200, body = ActivityChangesView)))]
pub(super) async fn activity_since(asking: Asking, Query(search): Query<Changes>) -> Outcome<ActivityChangesView> {
    let seconds = search.wait.unwrap_or(0);
    if seconds > WAIT_SECONDS_MAX {
        return Err(Problem::unreadable(&format!("`wait` is at most {WAIT_SECONDS_MAX} seconds.")));
    }
    let (filter, cursor) = (search.filter()?, search.cursor);
    let _place = if seconds > 0 { Some(asking.wait()?) } else { None };
    asking.run(Operation::ActivitySince { cursor, filter, seconds }).await
}

/// Shows one row of Activity with every event and attempt.
#[utoipa::path(get, path = "/activity/{row}", operation_id = "ActivityShow", tag = "Activity",
    params(("row" = u64, Path, description = "Its number.")), responses((status = 200, body = ActivityDetailView)))]
pub(super) async fn activity_show(asking: Asking, Path(row): Path<u64>) -> Outcome<ActivityDetailView> {
    asking.run(Operation::ActivityShow { row }).await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Counted {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// Of this sending domain alone, by number or name.
    domain: Option<String>,
    /// Of this SMTP user alone, by number or username.
    user: Option<String>,
    /// The first day, in the time zone of the account: `2026-11-24`; a week where absent. Of the whole relay each account is
    /// counted by the days of its own.
    since: Option<String>,
    /// The last day; today where absent.
    until: Option<String>,
}

/// Counts what was sent in a period, and what became of it.
#[utoipa::path(get, path = "/statistics", operation_id = "Statistics", tag = "Activity", params(Counted),
    responses((status = 200, body = StatisticsView)))]
pub(super) async fn statistics(asking: Asking, Query(counted): Query<Counted>) -> Outcome<StatisticsView> {
    let day = |given: &str| moment(given).map(Timestamp::day);
    let (since, until) =
        (counted.since.as_deref().map(day).transpose()?, counted.until.as_deref().map(day).transpose()?);
    let Counted { account, domain, user, .. } = counted;
    asking.run(Operation::Statistics { account, domain, user, since, until }).await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Troubles {
    /// Of this account alone; with a key of an account its own.
    account: Option<u64>,
    /// What the page before gave as `next`.
    #[param(maximum = 9_223_372_036_854_775_807_u64)]
    cursor: Option<u64>,
    /// At most so many; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Lists failed logins, blocks and limits reached, newest first.
#[utoipa::path(get, path = "/connections", operation_id = "Connections", tag = "Activity", params(Troubles),
    responses((status = 200, body = Page<ConnectionView>)))]
pub(super) async fn connections(asking: Asking, Query(troubles): Query<Troubles>) -> Outcome<Page<ConnectionView>> {
    let (before, limit) = (cursor(troubles.cursor)?, limit(troubles.limit)?);
    let page = |rows: Vec<ConnectionView>| Page::new(rows, limit, |row| row.row.to_string());
    asking.shown(Operation::Connections { account: troubles.account, before, limit }, page).await
}
