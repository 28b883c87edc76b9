//! Lists that are threaded through records which are there anyway: to be in one costs a record the places of its two neighbours, and
//! nobody else is looked at when it comes or goes.

/// The place of no record.
const NONE: u32 = u32::MAX;

/// The neighbours of a record in its list, which is a ring; they mean nothing while it is in none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    before: u32,
    after: u32,
}

impl Default for Links {
    fn default() -> Self {
        Links { before: NONE, after: NONE }
    }
}

/// Records by place, each in one list at the most.
pub(super) trait Threaded {
    fn links(&self, place: u32) -> Links;
    fn links_mut(&mut self, place: u32) -> &mut Links;
}

impl Threaded for Vec<Links> {
    fn links(&self, place: u32) -> Links {
        self[place as usize]
    }

    fn links_mut(&mut self, place: u32) -> &mut Links {
        &mut self[place as usize]
    }
}

/// The first record of each list, by the list's number.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<u32>);

impl Lists {
    fn first(&self, list: u32) -> Option<u32> {
        self.0.get(list as usize).copied().filter(|first| *first != NONE)
    }

    fn set_first(&mut self, list: u32, first: u32) {
        let list = list as usize;
        if self.0.len() <= list {
            self.0.resize(list + 1, NONE);
        }
        self.0[list] = first;
    }

    /// Puts a record that is in no list at the end of one.
    pub(super) fn push(&mut self, list: u32, place: u32, records: &mut impl Threaded) {
        let Some(first) = self.first(list) else {
            *records.links_mut(place) = Links { before: place, after: place };
            self.set_first(list, place);
            return;
        };
        let last = records.links(first).before;
        *records.links_mut(place) = Links { before: last, after: first };
        records.links_mut(last).after = place;
        records.links_mut(first).before = place;
    }

    /// Takes a record out of the list that it is in.
    pub(super) fn take_out(&mut self, list: u32, place: u32, records: &mut impl Threaded) {
        let Links { before, after } = records.links(place);
        records.links_mut(before).after = after;
        records.links_mut(after).before = before;
        if self.first(list) == Some(place) {
            self.set_first(list, if after == place { NONE } else { after });
        }
    }

    /// The places of a list's records, in the order in which they came.
    pub(super) fn of(&self, list: u32, records: &impl Threaded) -> Vec<u32> {
        let Some(first) = self.first(list) else { return Vec::new() };
        let after = |place: &u32| Some(records.links(*place).after).filter(|after| *after != first);
        std::iter::successors(Some(first), after).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_has_whoever_came_and_did_not_go_in_the_order_of_coming(
            steps in prop::collection::vec((0u32..3, 0u32..8), 0..60),
        ) {
            let (mut lists, mut links) = (Lists::default(), vec![Links::default(); 8]);
            let mut model: [Vec<u32>; 3] = Default::default();
            for (list, place) in steps {
                match (0u32..).zip(&model).find(|(_, places)| places.contains(&place)).map(|(list, _)| list) {
                    Some(list) => {
                        lists.take_out(list, place, &mut links);
                        model[list as usize].retain(|other| *other != place);
                    }
                    None => {
                        lists.push(list, place, &mut links);
                        model[list as usize].push(place);
                    }
                }
                for (list, places) in (0u32..).zip(&model) {
                    prop_assert_eq!(&lists.of(list, &links), places);
                }
            }
        }
    }
}
