//! How much an account may have: what the limits say, asked before anything is added.

use super::{Fault, RulesChange, SYSTEM_ACCOUNT, Setting};
use crate::account::Account;
use crate::id::Id;
use crate::limits::{Limit, Limits, REASON_OCTETS_MAX, USER_RULES_MAX};

/// Whether there is room for one more of what an account (none: the operator) has `count` of. The system account takes
/// as much as it needs.
///
/// # Errors
/// It has as many as the limit in force allows.
pub(super) fn for_one_more(
    account: Option<Id<Account>>,
    count: usize,
    limit: Limit,
    in_force: u64,
) -> Result<(), Fault> {
    if account == Some(SYSTEM_ACCOUNT) || (count as u64) < in_force {
        return Ok(());
    }
    let Limit { name, unit, .. } = limit;
    let who = account.map_or("The operator".to_owned(), |account| format!("Account {account}"));
    Err(Fault::conflict(
        format!("{who} has {count} {unit}, which is the most there may be."),
        format!("Delete those that are not used any more. The operator can raise `{name}` below [limits]."),
    )
    .named("too-many", &[("count", &count), ("limit", &name)]))
}

/// Whether lists of an SMTP user's rules are short enough. One of the system account has what it needs.
///
/// # Errors
/// One is longer than the limit in force; the text says which.
pub(super) fn for_rules(account: Id<Account>, rules: &RulesChange, limits: &Limits) -> Result<(), Fault> {
    fn length<T>(setting: &Setting<Vec<T>>) -> usize {
        if let Setting::To(list) = setting { list.len() } else { 0 }
    }
    let lists = [
        ("networks", length(&rules.networks)),
        ("senders", length(&rules.senders)),
        ("recipient domains", length(&rules.recipient_domains)),
    ];
    match lists.into_iter().find(|(_, length)| *length as u64 > limits.user_rules_max) {
        Some((what, length)) if account != SYSTEM_ACCOUNT => Err(Fault::invalid(
            format!("{length} {what} are more than the {} that an SMTP user may have.", limits.user_rules_max),
            format!(
                "Give a shorter list, or several SMTP users one each. The operator can raise `{}` below [limits].",
                USER_RULES_MAX.name
            ),
        )
        .named("rules-too-long", &[("most", &limits.user_rules_max)])),
        _ => Ok(()),
    }
}

/// Whether a reason, or what is said with a request, is short enough to be kept.
///
/// # Errors
/// It is longer than the limit in force.
pub(super) fn for_reason(reason: &str, limits: &Limits) -> Result<(), Fault> {
    if reason.len() as u64 <= limits.reason_octets_max {
        return Ok(());
    }
    Err(Fault::invalid(
        format!("The text is longer than {} {}.", limits.reason_octets_max, REASON_OCTETS_MAX.unit),
        "Give a shorter one.",
    )
    .named("reason-too-long", &[("most", &limits.reason_octets_max)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ACCOUNT_DOMAINS_MAX;

    #[test]
    fn an_account_has_as_many_as_the_limit_says_and_the_system_account_more() {
        let fault =
            |account: Option<u64>, count| for_one_more(account.map(Id::new), count, ACCOUNT_DOMAINS_MAX, 3).err();
        let told = |account, count| fault(account, count).map(|fault| fault.to_string());
        assert_eq!(told(Some(7), 2), None);
        assert_eq!(told(Some(7), 3).as_deref(), Some("Account 7 has 3 domains, which is the most there may be."));
        assert_eq!(told(None, 3).as_deref(), Some("The operator has 3 domains, which is the most there may be."));
        assert_eq!(told(Some(SYSTEM_ACCOUNT.number()), 3), None);
    }

    #[test]
    fn each_list_of_rules_is_bounded() {
        let limits = Limits { user_rules_max: 2, ..Limits::default() };
        let names = |count: usize| Setting::To(vec!["a.example".to_owned(); count]);
        let network = ipnet::IpNet::from(std::net::IpAddr::from([192, 0, 2, 7]));
        let networks = |count: usize| Setting::To(vec![network; count]);
        for (count, is_fault) in [(2, false), (3, true)] {
            for rules in [
                RulesChange { networks: networks(count), ..RulesChange::default() },
                RulesChange { senders: names(count), ..RulesChange::default() },
                RulesChange { recipient_domains: names(count), ..RulesChange::default() },
            ] {
                assert_eq!(for_rules(Id::new(7), &rules, &limits).is_err(), is_fault, "{rules:?}");
                assert_eq!(for_rules(SYSTEM_ACCOUNT, &rules, &limits), Ok(()));
            }
        }
        assert_eq!(for_rules(Id::new(7), &RulesChange::default(), &limits), Ok(()));
    }

    #[test]
    fn a_reason_is_bounded() {
        let limits = Limits { reason_octets_max: 60, ..Limits::default() };
        assert_eq!(for_reason(&"é".repeat(30), &limits), Ok(()));
        assert!(for_reason(&"é".repeat(31), &limits).is_err());
    }
}
