//! What DNSSEC says of an answer: whether the aliases in it, and the records behind them, are signed.

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::LookupError;
use super::hickory::{meaning, plain};

/// Aliases that are followed.
pub(super) const ALIASES_MAX: usize = 16;

/// A validated answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The data of the records.
    pub(super) data: Vec<RData>,
    /// Whether everything is signed: each alias, and the records.
    pub(super) is_secure: bool,
    /// The name that has the records.
    pub(super) owner: String,
    /// Whether the name that was asked for is an alias, and whether that is signed, whatever comes behind it.
    pub(super) alias: Option<bool>,
}

impl Answer {
    /// Follows the aliases in `records` from `name` to the records of this kind; an alias that is asked for is one of these.
    ///
    /// # Errors
    /// [`LookupError::Fault`] where something is neither signed rightly nor known to be unsigned;
    /// [`LookupError::NoRecord`] where there are no such records.
    pub(super) fn of(name: &Name, kind: RecordType, records: &[Record]) -> Result<Answer, LookupError> {
        let (mut owner, mut is_secure, mut alias) = (name.clone(), true, None);
        for _ in 0..ALIASES_MAX {
            let is_next = |record: &&Record| record.record_type() == RecordType::CNAME && record.name == owner;
            let next = records.iter().filter(|_| kind != RecordType::CNAME).find(is_next);
            let Some(Record { data: RData::CNAME(target), proof, .. }) = next else { break };
            let is_signed = signed(*proof)?;
            alias.get_or_insert(is_signed);
            is_secure &= is_signed;
            owner = target.0.clone();
        }
        let mut data = Vec::new();
        for record in records.iter().filter(|record| record.record_type() == kind && record.name == owner) {
            is_secure &= signed(record.proof)?;
            data.push(record.data.clone());
        }
        if data.is_empty() {
            return Err(LookupError::NoRecord);
        }
        Ok(Answer { data, is_secure, owner: plain(&owner), alias })
    }

    /// The same, behind aliases that were followed before, of which the first is signed or not, and so are all.
    pub(super) fn behind(self, first: bool, all: bool) -> Answer {
        Answer { is_secure: self.is_secure && all, alias: Some(first), ..self }
    }

    /// Under which names TLSA records of a host may be trusted, of which these are the addresses (RFC 7672 §2.2.2).
    pub(super) fn bases(&self, host: &str) -> Vec<String> {
        match (self.is_secure, self.alias) {
            (true, None) => vec![host.to_owned()],
            (true, Some(_)) => vec![self.owner.clone(), host.to_owned()],
            // what it leads to is nobody's word, but that it is an alias is the zone's own
            (false, Some(true)) => vec![host.to_owned()],
            (false, _) => Vec::new(),
        }
    }
}

/// Why a validated question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nothing {
    /// What that means.
    pub(super) why: LookupError,
    /// Whether it is proved that the name, or what signed aliases lead to from there, has no such record.
    pub(super) is_proved: bool,
    /// Whether it was said of what an alias leads to.
    pub(super) is_behind: bool,
}

impl Nothing {
    /// What an error of a question about this name comes to.
    pub(super) fn of(name: &Name, error: &NetError) -> Nothing {
        if let NetError::Dns(DnsError::NoRecordsFound(none)) = error
            && is_elsewhere(none.query.name(), none.authorities.iter().flat_map(|records| records.iter()))
        {
            return Nothing::from(bogus());
        }
        let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return Nothing::from(meaning(error)) };
        // behind an alias it is the proof of another name, and nobody says how the way there was vouched for
        let is_behind = none.query.name() != name;
        let is_denied = none.authorities.iter().flat_map(|records| records.iter()).any(is_signed_denial);
        Nothing { why: meaning(error), is_proved: is_denied && !is_behind, is_behind }
    }

    /// Whether more may be known when aliases are followed one by one. The library takes a proof about what an alias leads to for a
    /// wrong one of the alias, where both come in one answer, as those of resolvers do.
    pub(super) fn may_be_behind_aliases(&self) -> bool {
        self.is_behind || self.why == bogus()
    }
}

impl From<LookupError> for Nothing {
    fn from(why: LookupError) -> Nothing {
        Nothing { why, is_proved: false, is_behind: false }
    }
}

impl From<Nothing> for LookupError {
    fn from(nothing: Nothing) -> LookupError {
        nothing.why
    }
}

/// Whether all that is said of a name's absence comes from zones that are not signed, and that it is not in: the validator lets it pass,
/// as what needs no proof, and anybody could have put it there.
fn is_elsewhere<'r>(name: &Name, mut said: impl Iterator<Item = &'r Record> + Clone) -> bool {
    let is_foreign = |record: &Record| record.proof == Proof::Insecure && !record.name.zone_of(name);
    said.clone().next().is_some() && said.all(is_foreign)
}

/// Whether a record is a signed part of a proof that there is nothing. The validator lets such a record pass where the whole
/// proof holds; without one, absence is an unsigned zone's word.
fn is_signed_denial(record: &Record) -> bool {
    record.proof == Proof::Secure && matches!(record.data, RData::DNSSEC(DNSSECRData::NSEC(_) | DNSSECRData::NSEC3(_)))
}

/// Whether a record is signed; a fault where nobody can tell.
pub(super) fn signed(proof: Proof) -> Result<bool, LookupError> {
    match proof {
        Proof::Secure => Ok(true),
        Proof::Insecure => Ok(false),
        Proof::Bogus | Proof::Indeterminate => Err(bogus()),
    }
}

/// The fault of an answer that does not hold.
pub(super) fn bogus() -> LookupError {
    LookupError::Fault("the answer is not signed as its zone demands (DNSSEC)".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::rdata::{A, CNAME};
    use std::net::Ipv4Addr;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn alias(from: &str, to: &str, proof: Proof) -> Record {
        let mut record = Record::from_rdata(name(from), 60, RData::CNAME(CNAME(name(to))));
        record.proof = proof;
        record
    }

    fn address(of: &str, proof: Proof) -> Record {
        let mut record = Record::from_rdata(name(of), 60, RData::A(A(Ipv4Addr::LOCALHOST)));
        record.proof = proof;
        record
    }

    fn bases(records: &[Record]) -> Vec<String> {
        let answer = Answer::of(&name("mx.b.test."), RecordType::A, records).unwrap();
        answer.bases("mx.b.test")
    }

    use Proof::{Bogus, Indeterminate, Insecure, Secure};

    #[test]
    fn a_signed_host_has_its_records_under_its_own_name() {
        assert_eq!(bases(&[address("MX.b.test.", Secure)]), ["mx.b.test"]);
        assert!(bases(&[address("mx.b.test.", Insecure)]).is_empty());
    }

    #[test]
    fn behind_a_signed_alias_what_it_leads_to_goes_first() {
        let signed = [alias("mx.b.test.", "h.c.test.", Secure), address("h.c.test.", Secure)];
        assert_eq!(bases(&signed), ["h.c.test", "mx.b.test"]);
        let unsigned = [alias("mx.b.test.", "h.c.test.", Secure), address("h.c.test.", Insecure)];
        assert_eq!(bases(&unsigned), ["mx.b.test"]);
        let forged = [alias("mx.b.test.", "h.c.test.", Insecure), address("h.c.test.", Secure)];
        assert!(bases(&forged).is_empty());
    }

    #[test]
    fn a_chain_is_as_secure_as_its_weakest_link() {
        let chain =
            [address("c.test.", Secure), alias("b.test.", "c.test.", Insecure), alias("mx.b.test.", "b.test.", Secure)];
        let answer = Answer::of(&name("mx.b.test."), RecordType::A, &chain).unwrap();
        assert_eq!((answer.is_secure, answer.owner.as_str(), answer.alias), (false, "c.test", Some(true)));
    }

    #[test]
    fn what_nobody_can_tell_is_a_fault() {
        for proof in [Bogus, Indeterminate] {
            for records in [
                vec![address("mx.b.test.", proof)],
                vec![address("mx.b.test.", Secure), address("mx.b.test.", proof)],
                vec![alias("mx.b.test.", "h.c.test.", proof), address("h.c.test.", Secure)],
            ] {
                let found = Answer::of(&name("mx.b.test."), RecordType::A, &records);
                assert!(matches!(found, Err(LookupError::Fault(_))), "{records:?}");
            }
        }
    }

    #[test]
    fn aliases_in_a_circle_lead_nowhere() {
        let circle = [alias("mx.b.test.", "b.test.", Secure), alias("b.test.", "mx.b.test.", Secure)];
        let found = Answer::of(&name("mx.b.test."), RecordType::A, &circle);
        assert_eq!(found.unwrap_err(), LookupError::NoRecord);
    }
}
