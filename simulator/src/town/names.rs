//! Names of people: a hundred first and a hundred last ones, which pair up to ten thousand.

/// First names.
#[rustfmt::skip]
pub(super) const FIRST: [&str; 100] = [
    "Ada", "Adam", "Alice", "Amira", "Anders", "Anna", "Anton", "Arthur",
    "Astrid", "Aylin", "Beatriz", "Ben", "Bjørn", "Bruno", "Camille", "Carla",
    "Cem", "Chiara", "Clara", "Daniel", "David", "Deniz", "Diego", "Dora",
    "Eda", "Elena", "Elias", "Elif", "Emil", "Emma", "Erik", "Esther",
    "Eva", "Fatima", "Felix", "Fiona", "Frida", "Gabriel", "Georg", "Gloria",
    "Greta", "Hanna", "Hugo", "Ida", "Ines", "Ingrid", "Irina", "Ivan",
    "Jakob", "Jana", "Jasmin", "Joanna", "João", "Jonas", "José", "Julia",
    "Karl", "Katja", "Klara", "Lars", "Laura", "Lea", "Leo", "Lena",
    "Lina", "Louis", "Lucia", "Luis", "Maja", "Marek", "Maria", "Marta",
    "Mateo", "Mats", "Mia", "Mila", "Mira", "Nadia", "Nico", "Nils",
    "Nina", "Noah", "Nora", "Olga", "Oskar", "Paul", "Paula", "Pedro",
    "Petra", "Rafael", "René", "Rosa", "Samuel", "Selma", "Sofia", "Theo",
    "Tomás", "Vera", "Yusuf", "Zoé",
];

/// Last names.
#[rustfmt::skip]
pub(super) const LAST: [&str; 100] = [
    "Adler", "Albers", "Almeida", "Andersen", "Arslan", "Bachmann", "Bauer", "Becker",
    "Berg", "Bernard", "Bianchi", "Blum", "Brandt", "Braun", "Busch", "Carvalho",
    "Castro", "Çelik", "Costa", "Dahl", "Demir", "Dietrich", "Dubois", "Engel",
    "Esposito", "Falk", "Fernández", "Fischer", "Franke", "Fuchs", "García", "Graf",
    "Groß", "Haas", "Hahn", "Hansen", "Hartmann", "Heinrich", "Herrmann", "Hoffmann",
    "Horn", "Huber", "Ivanova", "Jäger", "Jansen", "Jensen", "Kaiser", "Kaya",
    "Keller", "Klein", "Koch", "König", "Kowalski", "Krause", "Krüger", "Kuhn",
    "Lang", "Larsen", "Lehmann", "Lindberg", "Lopes", "Lorenz", "Ludwig", "Maier",
    "Marino", "Martin", "Meyer", "Moreau", "Möller", "Müller", "Neumann", "Nielsen",
    "Novak", "Öztürk", "Otto", "Peters", "Petrova", "Pohl", "Ramos", "Reis",
    "Richter", "Rossi", "Roth", "Santos", "Sauer", "Schäfer", "Schmidt", "Schneider",
    "Schreiber", "Schulz", "Seidel", "Silva", "Simon", "Sommer", "Stein", "Vogel",
    "Wagner", "Weber", "Winter", "Yıldız",
];
