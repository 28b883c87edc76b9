//! From the octets of a question to those of its answer (RFC 1035 §4, RFC 6891).

use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, HINFO, MX, NS, SOA, TXT};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use relay::zone::{self, Data, Held, NEGATIVE_TTL_SECONDS, TTL_SECONDS};

/// The largest answer in one packet, octets: none is cut in two on the way (RFC 9715).
const PACKET_OCTETS_MAX: u16 = 1_232;
/// What everybody takes in one packet (RFC 1035 §2.3.4).
const PACKET_OCTETS_MIN: u16 = 512;

/// How large an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// One packet.
    Packet,
    /// A message over TCP.
    Stream,
}

/// The answer to a question; none where there is to be none: to what is no question, or cannot be read at all.
pub(super) fn to(octets: &[u8], size: Size, held: impl Fn(&str) -> Held) -> Option<Vec<u8>> {
    let (request, mut answer) = match begun(octets)? {
        Ok(begun) => begun,
        Err(unread) => return unread.to_vec().ok(),
    };
    let edns_max = request.edns.as_ref().map(Edns::max_payload);
    if answer.metadata.response_code == ResponseCode::NoError {
        say(&request, &mut answer, held);
    }
    let octets = answer.to_vec().ok()?;
    let most = edns_max.unwrap_or(PACKET_OCTETS_MIN).clamp(PACKET_OCTETS_MIN, PACKET_OCTETS_MAX);
    if size == Size::Packet && octets.len() > usize::from(most) {
        return answer.truncate().to_vec().ok();
    }
    Some(octets)
}

/// The answer that sends whoever asks to TCP: no larger than the question.
pub(super) fn come_again(octets: &[u8]) -> Option<Vec<u8>> {
    let (_, answer) = begun(octets)?.ok()?;
    let again = answer.truncate().to_vec().ok()?;
    (again.len() <= octets.len()).then_some(again)
}

/// The question, and an answer with nothing in it but what is wrong with the question; the inner error is the answer to one
/// that cannot be read.
fn begun(octets: &[u8]) -> Option<Result<(Message, Message), Message>> {
    let id = u16::from_be_bytes([*octets.first()?, *octets.get(1)?]);
    // an answer to an answer would go on for ever
    let is_answer = octets.get(2)? & 0x80 != 0;
    if is_answer || octets.len() < 12 {
        return None;
    }
    let Ok(request) = Message::from_vec(octets) else {
        return Some(Err(Message::error_msg(id, OpCode::Query, ResponseCode::FormErr)));
    };
    if request.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut answer = Message::response(id, request.metadata.op_code);
    answer.metadata.recursion_desired = request.metadata.recursion_desired;
    answer.add_queries(request.queries.first().cloned());
    if let Some(asked) = &request.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(PACKET_OCTETS_MAX).set_version(0);
        if asked.version() > 0 {
            edns.set_rcode_high(ResponseCode::BADVERS.high());
            answer.metadata.response_code = ResponseCode::BADVERS;
        }
        answer.set_edns(edns);
    }
    if request.metadata.op_code != OpCode::Query {
        answer.metadata.response_code = ResponseCode::NotImp;
    } else if request.queries.len() != 1 {
        answer.metadata.response_code = ResponseCode::FormErr;
    }
    Some(Ok((request, answer)))
}

fn say(request: &Message, answer: &mut Message, held: impl Fn(&str) -> Held) {
    let Some(query) = request.queries.first() else { return };
    let is_transfer = matches!(query.query_type(), RecordType::AXFR | RecordType::IXFR);
    let found = if query.query_class() != DNSClass::IN || is_transfer { Held::Outside } else { held(&named(query)) };
    match found {
        Held::Outside => answer.metadata.response_code = ResponseCode::Refused,
        Held::NoName => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            nothing(query, answer, held);
        }
        Held::Records(records) => {
            answer.metadata.authoritative = true;
            if query.query_type() == RecordType::ANY {
                return whatever(query, answer);
            }
            let records = records.iter().filter_map(|record| translated(query, record));
            answer.add_answers(records.filter(|record| record.record_type() == query.query_type()));
            if answer.answers.is_empty() {
                nothing(query, answer, held);
            }
        }
    }
}

/// The name that is asked for, as the zone has names.
fn named(query: &Query) -> String {
    let name = query.name().to_ascii().to_ascii_lowercase();
    name.strip_suffix('.').map(str::to_owned).unwrap_or(name)
}

/// Says that there is nothing, and for how long that may be believed (RFC 2308 §3).
fn nothing(query: &Query, answer: &mut Message, held: impl Fn(&str) -> Held) {
    answer.metadata.authoritative = true;
    let name = named(query);
    let above = std::iter::successors(Some(name.as_str()), |name| name.split_once('.').map(|(_, above)| above));
    let start = above.filter_map(|name| if let Held::Records(records) = held(name) { Some(records) } else { None });
    let mut starts = start.flatten().filter(|record| matches!(record.data, Data::Soa { .. }));
    if let Some(start) = starts.next()
        && let Some(data) = data(&start.data)
        && let Some(name) = absolute(&start.name)
    {
        answer.add_authority(Record::from_rdata(name, NEGATIVE_TTL_SECONDS, data));
    }
}

/// Of everything that there is, nothing but that it has to be asked for by its type (RFC 8482 §4.2).
fn whatever(query: &Query, answer: &mut Message) {
    let hint = RData::HINFO(HINFO::new("RFC8482".to_owned(), String::new()));
    answer.add_answer(Record::from_rdata(query.name().clone(), TTL_SECONDS, hint));
}

/// A record under the name that was asked for, in its own letters (RFC 1034 §4.3.2, draft-vixie-dnsext-dns0x20).
fn translated(query: &Query, record: &zone::Record) -> Option<Record> {
    Some(Record::from_rdata(query.name().clone(), TTL_SECONDS, data(&record.data)?))
}

fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn data(data: &Data) -> Option<RData> {
    Some(match data {
        Data::Soa { server, responsible, serial } => RData::SOA(SOA::new(
            absolute(server)?,
            absolute(responsible)?,
            *serial,
            3_600,
            600,
            1_209_600,
            NEGATIVE_TTL_SECONDS,
        )),
        Data::Ns(server) => RData::NS(NS(absolute(server)?)),
        Data::A(address) => RData::A(A(*address)),
        Data::Aaaa(address) => RData::AAAA(AAAA(*address)),
        Data::Cname(name) => RData::CNAME(CNAME(absolute(name)?)),
        Data::Mx(preference, host) => RData::MX(MX::new(*preference, absolute(host)?)),
        Data::Txt(text) => RData::TXT(TXT::from_bytes(zone::strings(text).collect())),
    })
}
