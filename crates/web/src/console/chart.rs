//! The chart of the dashboard: where each line, mark and word of it stands, for the template that draws it as SVG.

use super::words::Words;

/// What stands above the plot: recipients, delivered, soft and hard bounces, in this order everywhere.
pub(super) const SERIES: [&str; 4] = ["recipients", "delivered", "soft-bounces", "hard-bounces"];

/// One point of time with a value of each series.
pub(super) struct Moment {
    /// What it is called in full.
    pub(super) name: String,
    /// What it is called on the axis.
    pub(super) on_axis: String,
    /// The same where there is little room.
    pub(super) on_narrow_axis: String,
    pub(super) values: [u64; 4],
}

/// A text with its place.
pub(super) struct Label {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) text: String,
}

/// A horizontal line with its number.
pub(super) struct Level {
    pub(super) y: String,
    pub(super) is_base: bool,
    pub(super) label: Label,
}

/// A series in its panel.
pub(super) struct Line {
    /// 1 to 4.
    pub(super) number: usize,
    pub(super) path: String,
    /// Where its marks stand; none where they would crowd.
    pub(super) marks: Vec<(String, String)>,
}

/// Two series on a scale of their own.
pub(super) struct Panel {
    pub(super) name: Label,
    pub(super) levels: Vec<Level>,
    pub(super) lines: Vec<Line>,
}

/// What shows the values of a point of time.
pub(super) struct Tip {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) x: String,
    pub(super) hit_x: String,
    pub(super) hit_width: String,
    pub(super) tip_x: String,
    pub(super) numbers: Vec<String>,
}

/// A chart of one width.
pub(super) struct Plot {
    pub(super) class: &'static str,
    pub(super) label: String,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// The names of the series as each tip has them: drawn once, with their keys at the height `x`.
    pub(super) names: Vec<Label>,
    pub(super) panels: Vec<Panel>,
    pub(super) axis: Vec<Label>,
    pub(super) tips: Vec<Tip>,
}

/// Room above and height of the two panels, and below them.
const UPPER: (f64, f64) = (24.0, 150.0);
const LOWER: (f64, f64) = (218.0, 76.0);
const FOOT: f64 = 28.0;
const RIGHT: f64 = 12.0;
/// What shows the values.
const TIP_WIDTH: f64 = 196.0;
/// More points than this have no marks.
const MARKS_MAX: usize = 16;

fn place(number: f64) -> String {
    format!("{:.1}", number)
}

/// The highest number of a scale that `most` fits in, and its step: 1, 2, 2.5 or 5 times a power of ten.
fn scale(most: u64) -> (f64, f64) {
    if most == 0 {
        return (4.0, 1.0);
    }
    let raw = most as f64 / 4.0;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= raw);
    // recipients are whole
    let step = step.unwrap_or(10.0 * power).max(1.0).ceil();
    ((most as f64 / step).ceil() * step, step)
}

/// The numbers that a chart of this width is made with.
struct Frame<'m> {
    words: &'m Words,
    moments: &'m [Moment],
    width: f64,
    left: f64,
}

impl Frame<'_> {
    fn is_wide(&self) -> bool {
        self.width > 500.0
    }

    fn pitch(&self) -> f64 {
        (self.width - self.left - RIGHT) / self.moments.len().max(1) as f64
    }

    fn x(&self, index: usize) -> f64 {
        self.left + self.pitch() * (index as f64 + 0.5)
    }

    fn panel(&self, (top, height): (f64, f64), series: [usize; 2], name: &str) -> Panel {
        let values = |series: usize| self.moments.iter().map(move |moment| moment.values[series]);
        let most = series.into_iter().flat_map(values).max().unwrap_or_default();
        let (most, step) = scale(most);
        let y = |value: f64| top + height - height * value / most;
        let count = (most / step).round() as u64;
        let skip = if height < 100.0 && count > 3 { 2 } else { 1 };
        let level = |number: u64| {
            let value = number as f64 * step;
            let label = Label {
                x: place(self.left - 8.0),
                y: place(y(value) + 4.0),
                text: self.words.number(value.round() as u64),
            };
            Level { y: place(y(value)), is_base: number == 0, label }
        };
        let line = |series: usize| {
            let points: Vec<_> = values(series).map(|value| place(y(value as f64))).enumerate().collect();
            let points: Vec<_> = points.into_iter().map(|(index, y)| (place(self.x(index)), y)).collect();
            let path: Vec<_> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
            let marks = if points.len() <= MARKS_MAX { points } else { Vec::new() };
            Line { number: series + 1, path: format!("M{}", path.join("L")), marks }
        };
        Panel {
            name: Label { x: place(self.left), y: place(top - 10.0), text: name.to_owned() },
            levels: (0..=count).step_by(skip).map(level).collect(),
            lines: series.into_iter().map(line).collect(),
        }
    }

    fn axis(&self) -> Vec<Label> {
        let most = if self.is_wide() { 10 } else { 7 };
        let each = self.moments.len().div_ceil(most).max(1);
        let label = |(index, moment): (usize, &Moment)| Label {
            x: place(self.x(index)),
            y: place(LOWER.0 + LOWER.1 + FOOT - 8.0),
            text: if self.is_wide() { moment.on_axis.clone() } else { moment.on_narrow_axis.clone() },
        };
        self.moments.iter().enumerate().step_by(each).map(label).collect()
    }

    fn names(&self) -> [String; 4] {
        SERIES.map(|series| self.words.t(&format!("chart-{series}")))
    }

    fn tip(&self, index: usize, moment: &Moment) -> Tip {
        let x = self.x(index);
        let beside = if x + 10.0 + TIP_WIDTH < self.width { x + 10.0 } else { x - 10.0 - TIP_WIDTH };
        let beside = match beside {
            outside if outside < 0.0 && x < self.width / 2.0 => self.width - TIP_WIDTH,
            other => other.max(0.0),
        };
        let names = self.names();
        let numbers = moment.values.map(|value| self.words.number(value));
        let said: Vec<_> = names.iter().zip(&numbers).map(|(name, number)| format!("{name} {number}")).collect();
        Tip {
            title: self.words.filled("chart-at", &[("when", &moment.name), ("values", &said.join(", "))]),
            name: moment.name.clone(),
            x: place(x),
            hit_x: place(x - self.pitch() / 2.0),
            hit_width: place(self.pitch()),
            tip_x: place(beside),
            numbers: numbers.to_vec(),
        }
    }

    fn plot(&self, class: &'static str, label: &str) -> Plot {
        let names = self.names().into_iter().enumerate().map(|(row, text)| {
            let y = 43.0 + row as f64 * 19.0;
            Label { x: place(y - 10.0), y: place(y), text }
        });
        let panels = [(UPPER, [0, 1], "chart-upper"), (LOWER, [2, 3], "chart-lower")];
        Plot {
            class,
            label: label.to_owned(),
            width: self.width,
            height: LOWER.0 + LOWER.1 + FOOT,
            left: self.left,
            right: self.width - RIGHT,
            top: UPPER.0,
            bottom: LOWER.0 + LOWER.1,
            names: names.collect(),
            panels: panels.map(|(place, series, name)| self.panel(place, series, &self.words.t(name))).into(),
            axis: self.axis(),
            tips: self.moments.iter().enumerate().map(|(index, moment)| self.tip(index, moment)).collect(),
        }
    }
}

/// The same chart for wide and for narrow windows, of which styles show one.
pub(super) fn plots(words: &Words, moments: &[Moment], label: &str) -> [Plot; 2] {
    let frame = |width, left| Frame { words, moments, width, left };
    [frame(1040.0, 52.0).plot("wide", label), frame(350.0, 44.0).plot("narrow", label)]
}

/// Each moment with everything that came before it.
pub(super) fn cumulative(moments: Vec<Moment>) -> Vec<Moment> {
    let mut sums = [0; 4];
    let add = |moment: Moment| {
        for (sum, value) in sums.iter_mut().zip(moment.values) {
            *sum += value;
        }
        Moment { values: sums, ..moment }
    };
    moments.into_iter().map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::language::Language;

    #[test]
    fn scales_are_round_and_hold_what_is_shown() {
        assert_eq!(scale(0), (4.0, 1.0));
        assert_eq!(scale(3), (3.0, 1.0));
        assert_eq!(scale(9), (9.0, 3.0));
        assert_eq!(scale(2_630), (3_000.0, 1_000.0));
        for most in 1..5_000 {
            let (top, step) = scale(most);
            assert!(top >= most as f64 && top - step < most as f64 && top / step <= 5.0, "{most}");
        }
    }

    #[test]
    fn every_tip_stands_within_the_chart() {
        let words = Words::new(Language::English);
        let moment = |day: u64| Moment {
            name: format!("day {day}"),
            on_axis: String::new(),
            on_narrow_axis: String::new(),
            values: [day, 0, 0, 0],
        };
        for count in [1, 2, 7, 31] {
            let moments: Vec<_> = (0..count).map(moment).collect();
            for plot in plots(&words, &moments, "") {
                for tip in &plot.tips {
                    let x: f64 = tip.tip_x.parse().unwrap_or(-1.0);
                    assert!(x >= 0.0 && x + TIP_WIDTH <= plot.width, "{count}: {x}");
                }
                assert!(plot.axis.len() <= 10 && plot.tips.len() as u64 == count);
            }
        }
    }

    #[test]
    fn what_is_cumulative_grows() {
        let moment =
            |values| Moment { name: String::new(), on_axis: String::new(), on_narrow_axis: String::new(), values };
        let grown = cumulative(vec![moment([1, 1, 0, 0]), moment([0; 4]), moment([2, 1, 0, 1])]);
        assert_eq!(
            grown.iter().map(|moment| moment.values).collect::<Vec<_>>(),
            [[1, 1, 0, 0], [1, 1, 0, 0], [3, 2, 0, 1]]
        );
    }
}
