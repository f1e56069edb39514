//! The page of `ParallelString`.

macro_rules! examples {
    ($library:ident) => {
        use $library::prelude::*;

        /// A no-break space, and one of the en's width, are white, but not in ASCII.
        const SPACED: &str = "\t one\u{a0}two \r\n three\u{2002}four\n";

        #[test]
        fn par_chars() {
            assert_eq!("größer".par_chars().max(), Some('ö'));
            assert_eq!("größer".par_chars().collect::<String>(), "größer");
        }

        #[test]
        fn par_char_indices() {
            assert_eq!("größer".par_char_indices().min_by_key(|&(_, c)| c), Some((6, 'e')));
            assert!("größer".par_char_indices().collect::<Vec<_>>().into_iter().eq("größer".char_indices()));
        }

        #[test]
        fn par_bytes() {
            assert_eq!("wasp".par_bytes().max(), Some(b'w'));
            assert_eq!("ß".par_bytes().count(), 2);
        }

        /// At a character, one of several, or one that a function knows.
        #[test]
        fn par_split() {
            let list = "7; 8, nine; 10";
            let numbers = list
                .par_split(|c: char| c == ';' || c == ',')
                .filter_map(|text| text.trim().parse::<u32>().ok());
            assert_eq!(numbers.sum::<u32>(), 25);
            assert_eq!(list.par_split(';').collect::<Vec<_>>(), ["7", " 8, nine", " 10"]);
            assert_eq!(list.par_split([';', ',']).count(), 4);
            assert_eq!(list.par_split(&[';', ',']).count(), 4);
            assert_eq!(list.par_split(&[';', ','][..]).count(), 4);
        }

        #[test]
        fn par_split_inclusive() {
            let sentences: Vec<&str> = "I came. I saw. I".par_split_inclusive('.').collect();
            assert_eq!(sentences, ["I came.", " I saw.", " I"]);
        }

        #[test]
        fn par_lines() {
            let lengths: Vec<usize> = "first\r\n\nthe third".par_lines().map(str::len).collect();
            assert_eq!(lengths, [5, 0, 9]);
        }

        #[test]
        fn par_split_whitespace() {
            assert_eq!(SPACED.par_split_whitespace().max_by_key(|word| word.len()), Some("three"));
            assert_eq!(SPACED.par_split_whitespace().collect::<Vec<_>>(), ["one", "two", "three", "four"]);
            assert_eq!("".par_split_whitespace().count(), 0);
            assert_eq!(" \n\u{a0}".par_split_whitespace().count(), 0);
        }

        #[test]
        fn par_split_ascii_whitespace() {
            let words: Vec<&str> = SPACED.par_split_ascii_whitespace().collect();
            assert_eq!(words, ["one\u{a0}two", "three\u{2002}four"]);
            assert_eq!(
                SPACED.par_split_ascii_whitespace().max_by_key(|word| word.len()),
                Some("three\u{2002}four")
            );
            assert_eq!("".par_split_ascii_whitespace().count(), 0);
            assert_eq!(" \n\t".par_split_ascii_whitespace().count(), 0);
        }

        const TEXTS: [&str; 6] = ["", ",", "a", "a,,bä,", ",ä,", "no separators; ä"];

        #[test]
        fn par_split_terminator() {
            for text in TEXTS {
                let parts: Vec<&str> = text.par_split_terminator(',').collect();
                assert_eq!(parts, text.split_terminator(',').collect::<Vec<_>>(), "{text:?}");
                let parts: Vec<&str> = text.par_split_terminator(|c| c == 'ä').collect();
                assert_eq!(parts, text.split_terminator('ä').collect::<Vec<_>>(), "{text:?}");
            }
        }

        #[test]
        fn par_matches() {
            for text in TEXTS {
                let found: Vec<&str> = text.par_matches([',', 'ä']).collect();
                assert_eq!(found, text.matches([',', 'ä']).collect::<Vec<_>>(), "{text:?}");
            }
        }

        #[test]
        fn par_match_indices() {
            for text in TEXTS {
                let found: Vec<(usize, &str)> = text.par_match_indices([',', 'ä']).collect();
                assert_eq!(found, text.match_indices([',', 'ä']).collect::<Vec<_>>(), "{text:?}");
            }
        }

        #[test]
        fn par_encode_utf16() {
            for text in ["", "a", "gr\u{fc}n", "\u{1D11E}"] {
                let units: Vec<u16> = text.par_encode_utf16().collect();
                assert!(text.encode_utf16().eq(units));
            }
        }
    };
}

crate::for_both!(examples);
