//! A part of a long list.

use serde::{Deserialize, Serialize};

/// The part of a list that is asked for, in the order of numbers; by default the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// Those with higher numbers than this.
    pub after: u64,
    /// At most so many; 0: all.
    pub limit: u32,
}

impl Part {
    /// The whole.
    pub const WHOLE: Part = Part { after: 0, limit: 0 };

    /// What it leaves of a list, in the order of numbers.
    pub fn of<T>(self, mut all: Vec<T>, number: impl Fn(&T) -> u64) -> Vec<T> {
        all.retain(|one| number(one) > self.after);
        let limit = self.limit as usize;
        if limit > 0 && all.len() > limit {
            // the rest need not be sorted
            all.select_nth_unstable_by_key(limit, &number);
            all.truncate(limit);
        }
        all.sort_unstable_by_key(number);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn parts_of_a_list_meet_without_gap() {
        let all: Vec<u64> = vec![9, 2, 7, 4, 1, 8];
        let number = |one: &u64| *one;
        assert_eq!(Part::WHOLE.of(all.clone(), number), [1, 2, 4, 7, 8, 9]);
        assert_eq!(Part { after: 0, limit: 4 }.of(all.clone(), number), [1, 2, 4, 7]);
        assert_eq!(Part { after: 7, limit: 4 }.of(all.clone(), number), [8, 9]);
        assert!(Part { after: 9, limit: 4 }.of(all, number).is_empty());
    }
}
