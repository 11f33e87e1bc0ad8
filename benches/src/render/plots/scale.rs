//! The mapping from values to positions on an axis.

/// Ratio of values above which a logarithmic scale is used, where the smallest are still visible.
const WIDE: f64 = 25.0;

/// An axis from a lowest to a highest value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    least: f64,
    most: f64,
    /// Whether equal steps are equal ratios.
    pub(super) logarithmic: bool,
    /// Values with a grid line.
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// Makes an axis with room for all values. Only the compared ones decide whether it is logarithmic: a floor that is
    /// far below all of them is just as clear on a linear one.
    pub(super) fn of(compared: &[f64], floor: &[f64]) -> Self {
        let range = |values: &mut dyn Iterator<Item = &f64>| {
            let values = values.filter(|value| value.is_finite() && **value > 0.0);
            values.fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), value| {
                (least.min(*value), most.max(*value))
            })
        };
        let (least, most) = range(&mut compared.iter());
        let wide = most / least > WIDE;
        let (least, most) = range(&mut compared.iter().chain(floor));
        if most == 0.0 {
            return Self { least: 0.0, most: 1.0, logarithmic: false, ticks: vec![0.0, 1.0] };
        }
        if wide { Self::logarithmic(least, most) } else { Self::linear(most) }
    }

    fn linear(most: f64) -> Self {
        let step = round_up(most / 6.0);
        let most = (most / step).ceil() * step;
        let mut ticks = vec![0.0];
        while let Some(last) = ticks.last().filter(|last| **last < most - step / 2.0) {
            ticks.push(last + step);
        }
        Self { least: 0.0, most, logarithmic: false, ticks }
    }

    fn logarithmic(least: f64, most: f64) -> Self {
        // A bar of the lowest value also needs some length.
        let (least, most) = (round_down(least / 1.3), round_up(most));
        let mut ticks = Vec::new();
        let mut tick = least;
        while tick <= most * 1.001 {
            ticks.push(tick);
            tick = round_up(tick * 1.5);
        }
        if ticks.len() > 10 {
            ticks.retain(|tick| leading(*tick) == 1.0);
        }
        Self { least, most, logarithmic: true, ticks }
    }

    /// Returns the position of a value: 0 at the beginning of the axis, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = if self.logarithmic {
            (value / self.least).ln() / (self.most / self.least).ln()
        } else {
            (value - self.least) / (self.most - self.least)
        };
        place.clamp(0.0, 1.0)
    }

    /// Returns the pixel of a value, between those of the beginning and the end.
    pub(super) fn pixel(&self, value: f64, from: i32, to: i32) -> i32 {
        let offset = (self.place(value) * f64::from(to - from)).round() as i32;
        from + offset
    }
}

/// Returns the power of ten below a value.
fn power(value: f64) -> f64 {
    // 1e-9: a value that is a power of ten except for the last bit counts as one.
    10_f64.powf((value.log10() + 1e-9).floor())
}

/// Returns the first digit of a round value.
fn leading(value: f64) -> f64 {
    (value / power(value)).round()
}

/// Returns the smallest of 1, 2 and 5, times a power of ten, that is not below the value.
fn round_up(value: f64) -> f64 {
    let power = power(value);
    let fits = [1.0, 2.0, 5.0].into_iter().find(|digit| value <= digit * power * 1.000_001);
    fits.unwrap_or(10.0) * power
}

/// Returns the largest of 1, 2 and 5, times a power of ten, that is not above the value.
fn round_down(value: f64) -> f64 {
    let power = power(value);
    let fits = [5.0, 2.0, 1.0].into_iter().find(|digit| value >= digit * power * 0.999_999);
    fits.unwrap_or(1.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_values_start_at_zero() {
        let scale = Scale::of(&[12.0, 55.0], &[0.1]);
        assert!(!scale.logarithmic);
        assert_eq!(scale.ticks, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        assert_eq!(scale.pixel(30.0, 100, 200), 150);
    }

    #[test]
    fn far_values_are_logarithmic() {
        let scale = Scale::of(&[84.0, 41_000.0, 0.0, f64::NAN], &[]);
        assert!(scale.logarithmic);
        assert_eq!(scale.ticks[..3], [50.0, 100.0, 200.0]);
        assert_eq!(scale.ticks.last(), Some(&50_000.0));
        assert!(scale.place(84.0) > 0.05);
        let wide = Scale::of(&[2.0, 1e6], &[1.0]);
        assert!(wide.ticks.iter().all(|tick| leading(*tick) == 1.0), "{:?}", wide.ticks);
    }

    #[test]
    fn no_values_are_an_axis_nevertheless() {
        assert_eq!(Scale::of(&[], &[]).place(7.0), 1.0);
    }
}
