//! Lanes: by which sources mail goes. Each pool is one. Mail that a site refused because of a source goes, for its next attempt
//! alone, by a lane without that source; urgent mail may go by one that has what warm-ups keep for it.
//!
//! A lane is part of where a parcel stands and not of the parcel: that something was tried from a source already takes no
//! memory in any record.

use super::warming::Toward;
use super::{Action, ConversationId, LANES_MAX, ParcelId, Scheduler};
use crate::clock::Timestamp;
use crate::priority::Class;
use crate::queue::RecipientState;
use crate::source::{PoolId, SourceId, Sources};

/// How far a message brings a source that weighs 1.
const STRIDE: u64 = 1 << 20;

/// A lane, by its place: those of the pools first, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LaneId(u16);

impl LaneId {
    pub(super) fn place(self) -> usize {
        usize::from(self.0)
    }
}

impl From<PoolId> for LaneId {
    fn from(pool: PoolId) -> Self {
        // there are fewer pools than lanes
        LaneId(u16::try_from(pool.place()).unwrap_or_default())
    }
}

/// What a lane is made of: a pool, the sources of it that are left out (a bit for each, by its place), and whether what it
/// carries is urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    pool: LaneId,
    without: u64,
    is_urgent: bool,
}

#[derive(Debug)]
struct Lane {
    made: Made,
    /// Its sources, each with its weight and how far it has come.
    members: Vec<(SourceId, u32)>,
    passes: Vec<u64>,
}

/// All of them; none where there is but the nameless source.
#[derive(Debug, Default)]
pub(super) struct Lanes(Vec<Lane>);

impl Lanes {
    pub(super) fn new(sources: &Sources) -> Self {
        let lane = |(pool, of): (PoolId, &crate::source::Pool)| Lane {
            made: Made { pool: pool.into(), without: 0, is_urgent: false },
            members: of.members.clone(),
            passes: vec![0; of.members.len()],
        };
        Lanes(sources.pools().map(lane).collect())
    }

    fn get(&self, lane: LaneId) -> Option<&Lane> {
        self.0.get(lane.place())
    }

    /// A lane's sources with their weights; of one that is not there none.
    pub(super) fn members(&self, lane: LaneId) -> &[(SourceId, u32)] {
        self.get(lane).map_or(&[], |lane| &lane.members)
    }

    /// Whether a lane may take what warm-ups keep for urgent mail.
    pub(super) fn is_urgent(&self, lane: LaneId) -> bool {
        self.get(lane).is_some_and(|lane| lane.made.is_urgent)
    }

    /// The lane of the whole pool that a lane is of.
    pub(super) fn whole(&self, lane: LaneId) -> LaneId {
        self.get(lane).map_or(lane, |lane| lane.made.pool)
    }

    /// The same lane without a source; none where there would be no source left, and where there are too many lanes.
    fn without(&mut self, lane: LaneId, source: SourceId) -> Option<LaneId> {
        let made = self.get(lane)?.made;
        let bit = u32::try_from(source.place()).ok().and_then(|place| 1u64.checked_shl(place))?;
        let usual = Made { without: made.without | bit, is_urgent: false, ..made };
        let usual = self.find(usual, lane, |member| member != source)?;
        if made.is_urgent { self.urgent(usual) } else { Some(usual) }
    }

    /// The same lane for urgent mail; none where it is that already. There is always room for it: each goes with one that is not
    /// urgent, so that mail keeps its priority however many lanes there are.
    pub(super) fn urgent(&mut self, lane: LaneId) -> Option<LaneId> {
        let made = self.get(lane).filter(|lane| !lane.made.is_urgent)?.made;
        self.find(Made { is_urgent: true, ..made }, lane, |_| true)
    }

    fn find(&mut self, made: Made, like: LaneId, is_member: impl Fn(SourceId) -> bool) -> Option<LaneId> {
        let known = self.0.iter().position(|lane| lane.made == made);
        if let Some(known) = known {
            return u16::try_from(known).ok().map(LaneId);
        }
        let members: Vec<_> = self.members(like).iter().filter(|(member, _)| is_member(*member)).copied().collect();
        let usual = self.0.iter().filter(|lane| !lane.made.is_urgent);
        if members.is_empty() || (!made.is_urgent && usual.count() >= LANES_MAX) {
            return None;
        }
        let passes = vec![0; members.len()];
        self.0.push(Lane { made, members, passes });
        u16::try_from(self.0.len() - 1).ok().map(LaneId)
    }

    /// Which source of a lane is furthest behind, of those that are open. One that is not catches up with nobody for that.
    pub(super) fn next(&mut self, lane: LaneId, open: &[bool]) -> Option<SourceId> {
        let lane = self.0.get_mut(lane.place())?;
        let behind = (0..lane.passes.len()).filter(|place| open[*place]).min_by_key(|place| lane.passes[*place])?;
        let pass = lane.passes[behind];
        for (other, is_open) in lane.passes.iter_mut().zip(open) {
            if !is_open {
                *other = (*other).max(pass);
            }
        }
        lane.members.get(behind).map(|(source, _)| *source)
    }

    /// A source of a lane carries a message.
    pub(super) fn carries(&mut self, lane: LaneId, source: SourceId) {
        let Some(Lane { members, passes, .. }) = self.0.get_mut(lane.place()) else { return };
        if let Some(place) = members.iter().position(|(member, _)| *member == source) {
            passes[place] += STRIDE / u64::from(members[place].1);
        }
    }
}

impl Scheduler {
    /// The site refused recipients of a parcel for good because of the source that it came from. Where another one of its lane
    /// is left that may begin now, they go from that next.
    pub(super) fn on_blocked(
        &mut self,
        conversation: ConversationId,
        parcel: ParcelId,
        recipients: Vec<u16>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(known) = self.conversations.get(&conversation) else { return };
        let (Some(source), place, shaper) = (known.source, known.site, known.shaper) else { return };
        let lane = self.sites.get(place).lane;
        let record = self.parcels.at(parcel.0);
        let (class, toward) = (record.class, self.toward(place, lane, shaper, Some(record.account)));
        let mut next = self.open_lane_without(source, lane, toward, now);
        if next.is_none() && class == Class::High && self.sending.warming.is_some() {
            // what warm-ups keep for urgent mail is open to it as it would be if it waited
            let urgent = self.sending.lanes.urgent(lane);
            next = urgent
                .and_then(|urgent| self.open_lane_without(source, urgent, Toward { urgent: true, ..toward }, now));
        }
        if let Some(next) = next {
            self.elsewhere.insert(parcel.0, (recipients, next));
            actions.push(Action::Elsewhere(parcel));
        }
    }

    /// A lane without a source, where another one of it may begin now.
    fn open_lane_without(&mut self, source: SourceId, lane: LaneId, toward: Toward, now: Timestamp) -> Option<LaneId> {
        let mut others = self.sending.lanes.members(lane).iter().filter(|(other, _)| *other != source);
        let is_open = others.any(|(other, _)| self.is_open(*other, toward, now));
        if is_open { self.sending.lanes.without(lane, source) } else { None }
    }

    /// By which lanes what is left of a parcel goes on: what another source may be tried for by that one's, everything else by
    /// its whole pool again: whatever left it without a try may have passed by the next.
    pub(super) fn ways_on(&mut self, parcel: u32) -> WaysOn {
        let elsewhere = if self.elsewhere.is_empty() { None } else { self.elsewhere.remove(&parcel) };
        let lane = self.sites.get(self.parcels.at(parcel).site).lane;
        WaysOn { usual: self.sending.lanes.whole(lane), elsewhere }
    }

    /// The place of the same destination by a lane, to be used before a further one is asked for.
    pub(super) fn beside(&mut self, site: u32, lane: LaneId, now: Timestamp) -> u32 {
        let known = self.sites.get(site);
        if known.lane == lane {
            return site;
        }
        let (destination, shaper, known_until) = (known.destination.clone(), known.shaper, known.known_until);
        let place = self.place(&destination, lane, now);
        if self.sites.get(place).known_until < known_until {
            self.assign(place, shaper, known_until);
        }
        place
    }
}

/// By which lanes recipients of a parcel go on.
#[derive(Debug)]
pub(super) struct WaysOn {
    usual: LaneId,
    elsewhere: Option<(Vec<u16>, LaneId)>,
}

impl WaysOn {
    /// That of one recipient, with its new state: what is held is tried no more in a row.
    pub(super) fn of(&self, recipient: u16, state: &RecipientState) -> LaneId {
        match (&self.elsewhere, state) {
            (Some((recipients, lane)), RecipientState::Waiting { .. }) if recipients.contains(&recipient) => *lane,
            _ => self.usual,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::source;

    #[test]
    fn urgent_mail_has_its_lanes_however_many_there_are() {
        let sources = (1..=10).map(|last| source(&format!("s{last}"), last)).collect();
        let sources = Sources::new(sources, Vec::new()).unwrap();
        let ids: Vec<SourceId> = sources.iter().map(|(id, _)| id).collect();
        let (mut lanes, pool) = (Lanes::new(&sources), LaneId::default());
        let urgent_pool = lanes.urgent(pool).unwrap();
        // the pool, and it without some of nine
        for without in 1usize..1 << 9 {
            let mut refused = ids.iter().enumerate().filter(|(place, _)| without >> place & 1 == 1);
            assert!(refused.try_fold(pool, |lane, (_, source)| lanes.without(lane, *source)).is_some());
        }
        assert_eq!(
            (lanes.without(pool, ids[9]), lanes.without(urgent_pool, ids[9])),
            (None, None),
            "there are too many"
        );
        let usual: Vec<usize> = (0..lanes.0.len()).filter(|place| !lanes.0[*place].made.is_urgent).collect();
        assert_eq!(usual.len(), LANES_MAX);
        for lane in usual.into_iter().map(|place| LaneId(u16::try_from(place).unwrap())) {
            let urgent = lanes.urgent(lane).expect("what is urgent stays so");
            assert!(lanes.is_urgent(urgent));
            assert_eq!((lanes.members(urgent), lanes.whole(urgent)), (lanes.members(lane), pool));
        }
        assert_eq!(lanes.0.len(), 2 * LANES_MAX);
        let refused = lanes.without(urgent_pool, ids[0]).unwrap();
        assert!(lanes.is_urgent(refused) && !lanes.members(refused).iter().any(|(source, _)| *source == ids[0]));
    }
}
