//! Asks one name server after the other, so that it can be said which of them gave an answer.

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use relay::inspection::{Answer, Kind, Question, Said};

use super::hickory::{DnsSettings, absolute, fault, meaning, plain};
use super::upstreams::{asking, configured};
use super::{LookupError, text};

/// An answer still under way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Who answers questions about domains, and says who said so. Keeps no answers.
pub trait Witness: Send + Sync + 'static {
    /// Asks. Aliases are followed, unless they are asked for.
    fn ask<'a>(&'a self, question: &'a Question) -> Answering<'a>;
}

/// The system's name servers, or those that it is given, each by itself.
pub struct NameServers {
    servers: Vec<(SocketAddr, TokioResolver)>,
    settings: DnsSettings,
}

impl NameServers {
    /// Must be called inside the runtime. `cache_answers_max` of the settings is of no account.
    ///
    /// # Errors
    /// The system's configuration cannot be read or names no server; in words for the operator.
    pub fn new(settings: &DnsSettings) -> Result<NameServers, LookupError> {
        let settings = DnsSettings { cache_answers_max: 0, ..settings.clone() };
        let mut servers = Vec::new();
        for server in configured(&settings)? {
            let port = server.connections.first().map_or(53, |connection| connection.port);
            let address = SocketAddr::new(server.ip, port);
            servers.push((address, asking(vec![server], &settings).build().map_err(|error| fault(&error))?));
        }
        Ok(NameServers { servers, settings })
    }

    /// What one of them says.
    async fn said_by(resolver: &TokioResolver, question: &Question) -> Said {
        let kind = match question.kind {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Cname => RecordType::CNAME,
            Kind::Mx => RecordType::MX,
            Kind::Ptr => RecordType::PTR,
            Kind::Txt => RecordType::TXT,
        };
        let Ok(name) = absolute(&question.name) else { return Said::Nothing };
        let answer = match resolver.lookup(name, kind).await {
            Ok(answer) => answer,
            Err(error) => {
                return match meaning(&error) {
                    LookupError::NoSuchName | LookupError::NoRecord => Said::Nothing,
                    LookupError::Fault(fault) => Said::Fault(fault),
                };
            }
        };
        let records = answer.answers().iter().filter(|record| record.record_type() == kind);
        let found: Vec<String> = records.filter_map(|record| spelt(&record.data)).collect();
        if found.is_empty() { Said::Nothing } else { Said::Found(found) }
    }
}

/// A record's data as [`Said::Found`] has it.
fn spelt(data: &RData) -> Option<String> {
    Some(match data {
        RData::A(address) => address.to_string(),
        RData::AAAA(address) => address.to_string(),
        RData::CNAME(name) => plain(name),
        RData::MX(mx) => format!("{} {}", mx.preference, plain(&mx.exchange)),
        RData::PTR(name) => plain(name),
        RData::TXT(txt) => text(txt),
        _ => return None,
    })
}

impl Witness for NameServers {
    fn ask<'a>(&'a self, question: &'a Question) -> Answering<'a> {
        Box::pin(async move {
            let asking = async {
                let mut last = Answer { said: Said::Fault("there is no name server to ask".into()), server: None };
                for (address, resolver) in &self.servers {
                    let said = Self::said_by(resolver, question).await;
                    last = Answer { said, server: Some(*address) };
                    if !matches!(last.said, Said::Fault(_)) {
                        break;
                    }
                }
                last
            };
            let late = || Answer { said: Said::Fault("the name servers did not answer in time".into()), server: None };
            tokio::time::timeout(self.settings.question_max, asking).await.unwrap_or_else(|_| late())
        })
    }
}
