//! Values under small numbers that are never mistaken for each other: a key carries the generation of its place.

/// A key: generation above, place below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    generation: u32,
    place: u32,
}

impl Key {
    /// The key of nothing.
    pub const NONE: Self = Self { generation: u32::MAX, place: u32::MAX };

    /// The place, unique among living values.
    pub fn place(self) -> usize {
        self.place as usize
    }
}

/// Values under [`Key`]s.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// The key the next value will have; `None` when full.
    pub fn next_key(&self) -> Option<Key> {
        match self.free.last() {
            Some(&place) => {
                self.places.get(place as usize).map(|(generation, _)| Key { generation: *generation, place })
            }
            None => Some(Key { generation: 0, place: u32::try_from(self.places.len()).ok()? }),
        }
    }

    /// Keeps a value under [`Arena::next_key`].
    pub fn insert(&mut self, value: T) -> Option<Key> {
        let key = self.next_key()?;
        match self.free.pop() {
            Some(place) => {
                if let Some(entry) = self.places.get_mut(place as usize) {
                    entry.1 = Some(value);
                }
            }
            None => self.places.push((0, Some(value))),
        }
        Some(key)
    }

    pub fn get(&self, key: Key) -> Option<&T> {
        let (generation, value) = self.places.get(key.place())?;
        value.as_ref().filter(|_| *generation == key.generation)
    }

    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (generation, value) = self.places.get_mut(key.place())?;
        value.as_mut().filter(|_| *generation == key.generation)
    }

    pub fn remove(&mut self, key: Key) -> Option<T> {
        let (generation, value) = self.places.get_mut(key.place())?;
        if *generation != key.generation {
            return None;
        }
        let value = value.take()?;
        // A place whose generations are used up is left empty.
        if let Some(next) = generation.checked_add(1) {
            *generation = next;
            self.free.push(key.place);
        }
        Some(value)
    }

    /// The keys of all values.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        (0..)
            .zip(&self.places)
            .filter(|(_, entry)| entry.1.is_some())
            .map(|(place, entry)| Key { generation: entry.0, place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut arena = Arena::default();
        let first = arena.insert("a").unwrap();
        assert_eq!(arena.remove(first), Some("a"));
        assert_eq!(arena.remove(first), None);
        let expected = arena.next_key();
        let second = arena.insert("b").unwrap();
        assert_eq!(expected, Some(second));
        assert_eq!((first.place(), second.place()), (0, 0), "places are used again");
        assert!(arena.get(first).is_none() && arena.get_mut(first).is_none());
        assert_eq!(arena.get(second), Some(&"b"));
        assert_eq!(arena.keys().collect::<Vec<_>>(), [second]);
    }
}
