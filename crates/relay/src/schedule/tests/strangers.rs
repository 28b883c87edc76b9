//! Domains that name mail servers of others beside their own, or instead of them: who answers for a domain speaks for nobody else.

use super::shaping::MINUTE;
use super::*;
use crate::shaping::Phase;

const GOOGLE: &str = "aspmx.l.google.com";
const STRANGER: &str = "mx.evil.example";

/// A world of a domain at google, and of one that was found to have these servers.
fn world(evil: &[&str]) -> World {
    among(World::new(Bounds::default()), evil)
}

fn among(world: World, evil: &[&str]) -> World {
    let servers = [("good.example", &[GOOGLE][..]), ("evil.example", evil)];
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let servers = servers.into_iter().map(|(domain, names)| (domain.to_owned(), of(names))).collect();
    World { servers, ..world }
}

impl World {
    /// The conversation that a message to a domain goes over.
    fn sent(&mut self, message: u128, domain: &str) -> ConversationId {
        self.send(message, domain);
        let (conversation, _) = self.busy.iter().find(|(_, parcel)| parcel.message == MessageId(message)).unwrap();
        *conversation
    }

    /// Where the site of this name stands; none where there is none.
    fn phase_of(&self, name: &str) -> Option<Phase> {
        let sites = self.scheduler.sites(None, usize::MAX, false, self.now);
        sites.into_iter().find(|site| site.name == name).map(|site| site.phase)
    }
}

#[test]
fn a_domain_with_a_server_of_its_own_beside_a_providers_is_a_site_of_its_own() {
    let mut world = world(&["nx.google.com", STRANGER]);
    let good = world.sent(1, "good.example");
    world.deliver(good);
    let evil = world.sent(2, "evil.example");
    world.come_to(evil, STRANGER);
    world.complain(evil, SiteAction::SendSlower, 1);
    assert_eq!(world.phase_of("google"), Some(Phase::Open));
    assert!(matches!(world.phase_of("mx.evil.example,nx.google.com"), Some(Phase::Paused(_))));
}

#[test]
fn a_server_that_was_not_found_speaks_for_its_domain_alone() {
    for found in [GOOGLE, "mx.victim.example"] {
        let mut world = world(&[found]);
        world.servers.insert("good.example".into(), vec![found.into()]);
        let site = if found == GOOGLE { "google" } else { found };
        let evil = world.sent(1, "evil.example");
        world.come_to(evil, STRANGER);
        world.refuse(evil, SiteAction::Suspend);
        let suspended: Vec<_> = world.suspended.iter().map(|(site, _)| site.as_str()).collect();
        assert_eq!(suspended, ["evil.example"]);
        world.settle_failing();
        let good = world.sent(2, "good.example");
        assert_eq!(world.phase_of(site), Some(Phase::Open));
        world.deliver(good);
        // it is not looked for again, so that it does not stand among the others' mail once more
        world.pass(10 * MINUTE);
        let again = world.first_busy();
        assert_eq!(world.busy[&again].message, MessageId(1));
        let shaper = world.scheduler.conversations[&again].shaper;
        assert_eq!(&*world.scheduler.shapers.get(shaper).unwrap().name, "evil.example");
    }
}

#[test]
fn a_strangers_success_is_no_proof_that_a_provider_takes_mail_again() {
    let mut world = world(&[GOOGLE]);
    let good = world.sent(1, "good.example");
    world.come_to(good, GOOGLE);
    world.refuse(good, SiteAction::Suspend);
    assert_eq!(world.suspended[0].0, "google", "its own server speaks for it");
    world.settle_failing();
    let Some(Phase::Suspended(until)) = world.phase_of("google") else { panic!("{:?}", world.phase_of("google")) };
    // the one that tries whether it holds is the stranger's
    world.tell(Event::GivenUp(MessageId(1), Arc::new(Ending::Cancelled("operator".into()))));
    world.pass(until.since(world.now));
    let evil = world.sent(2, "evil.example");
    world.come_to(evil, STRANGER);
    world.deliver(evil);
    assert_eq!((world.phase_of("evil.example"), world.scheduler.depth().suspended), (Some(Phase::Open), 1));
    let good = world.sent(3, "good.example");
    assert_eq!(world.phase_of("google"), Some(Phase::Probing));
    world.come_to(good, GOOGLE);
    world.deliver(good);
    assert_eq!(world.scheduler.depth().suspended, 0);
}

#[test]
fn a_strangers_complaint_leaves_the_warm_up_with_a_provider_alone() {
    let mut world = among(super::warming::world(&["new+"]), &[GOOGLE]);
    let evil = world.sent(1, "evil.example");
    world.come_to(evil, STRANGER);
    world.complain(evil, SiteAction::SendSlower, 1);
    let climbs = world.scheduler.sources(world.now).remove(0).warm_up.unwrap().climbs;
    let counts: Vec<_> = climbs.iter().map(|climb| (&*climb.provider, climb.sent, climb.objections)).collect();
    assert_eq!(counts, [("google", 0, 0), ("others", 1, 1)]);
}

#[test]
fn a_domain_by_whose_name_a_rule_goes_may_be_answered_by_any_server() {
    let rules = "[[provider]]\nname = \"mine\"\ndomains = [\"evil.example\"]\n";
    let providers = Arc::new(crate::shaping::Providers::parse(rules).unwrap());
    let scheduler = Scheduler::shaped(Bounds::default(), providers);
    let mut world = World { scheduler, ..world(&[GOOGLE]) };
    let evil = world.sent(1, "evil.example");
    world.come_to(evil, STRANGER);
    world.complain(evil, SiteAction::SendSlower, 1);
    assert!(matches!(world.phase_of("mine"), Some(Phase::Paused(_))));
}

#[test]
fn a_server_that_is_called_as_a_provider_is_not_that_one() {
    let mut world = world(&["yahoo"]);
    world.servers.insert("good.example".into(), vec!["mta5.am0.yahoodns.net".into()]);
    world.sent(1, "evil.example");
    world.sent(2, "good.example");
    let sites = world.scheduler.sites(None, usize::MAX, false, world.now);
    let of = |name: &str| sites.iter().find(|site| site.name == name).unwrap().allowance.unwrap().messages;
    assert_eq!((of("yahoo"), of("yahoo.")), (20, 0));
}
