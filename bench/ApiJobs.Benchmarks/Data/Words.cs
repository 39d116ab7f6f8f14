namespace ApiJobs.Benchmarks.Data;

/// <summary>What made-up people and their wills are made of.</summary>
/// <remarks>
/// Names are common ones, drawn apart from each other. Telephone numbers come from the ranges that Ofcom keeps free for
/// drama, addresses of e-mail from the domains that RFC 2606 keeps free for examples. Nobody is meant.
/// </remarks>
internal static class Words
{
    public static readonly string[] Titles = ["Mr", "Mrs", "Miss", "Ms", "Dr", "Mx"];

    public static readonly string[] FirstNames =
    [
        "Oliver", "George", "Arthur", "Noah", "Harry", "Leo", "Jack", "Charlie", "Oscar", "Jacob", "Henry", "Thomas", "Freddie", "Alfie", "Theo",
        "William", "Archie", "Joshua", "Alexander", "James", "Isaac", "Edward", "Lucas", "Mohammed", "Samuel", "Daniel", "Ethan", "Rhys", "Callum", "Ewan",
        "Amelia", "Olivia", "Isla", "Ava", "Ivy", "Freya", "Lily", "Florence", "Mia", "Willow", "Rosie", "Sophia", "Isabella", "Grace", "Daisy",
        "Evie", "Poppy", "Margaret", "Dorothy", "Sheila", "Jean", "Priya", "Fatima", "Siân", "Niamh", "Zoë", "Chloë", "Eilidh", "Morag", "Gwenllian",
    ];

    public static readonly string[] LastNames =
    [
        "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Patel", "Robinson", "Wright", "Thompson", "Evans", "Walker", "White",
        "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke", "Khan", "Hughes", "Edwards", "Hill", "Moore", "Clark", "Harrison", "Scott", "Young",
        "Morris", "Ward", "Turner", "Carter", "Phillips", "Mitchell", "Patterson", "Begum", "Campbell", "Anderson", "O'Brien", "O'Neill", "Murphy", "Ó Súilleabháin", "MacDonald",
        "Fraser", "Sinclair", "ap Rhys", "Llewellyn", "Featherstonehaugh", "Singh", "Kaur", "Ahmed", "Okafor", "Kowalski", "St John-Smythe", "de la Haye", "Nguyễn",
    ];

    public static readonly string[] Occupations =
        ["Teacher", "Nurse", "Retired", "Engineer", "Electrician", "Accountant", "Farmer", "Carer", "Shop manager", "Bus driver", "Civil servant", "Chef", "Solicitor"];

    public static readonly string[] MaritalStatuses = ["Single", "Married", "Widowed", "Divorced", "Civil partnership", "Separated"];

    public static readonly string[] Genders = ["Female", "Male", "Non-binary"];

    public static readonly string[] Streets =
    [
        "High Street", "Station Road", "Church Lane", "Victoria Road", "Mill Lane", "The Green", "Queens Road", "Park Avenue", "Manor Road", "Kings Road",
        "Orchard Close", "Chapel Street", "Meadow View", "Albert Terrace", "Springfield Road", "Heol y Bryn", "Kirkgate", "Brae Crescent",
    ];

    public static readonly string[] Houses = ["Rose Cottage", "The Old Vicarage", "Flat 2", "Flat 14b", "Ivy House", "Top Floor Flat", "Tŷ Gwyn"];

    // A town with its postcode area and how many districts that has.
    public static readonly (string Town, string Area, int Districts)[] Towns =
    [
        ("Leeds", "LS", 29), ("Bristol", "BS", 41), ("York", "YO", 32), ("Norwich", "NR", 35), ("Exeter", "EX", 39), ("Cardiff", "CF", 48),
        ("Swansea", "SA", 48), ("Edinburgh", "EH", 55), ("Glasgow", "G", 84), ("Belfast", "BT", 17), ("Leicester", "LE", 19), ("Sheffield", "S", 36),
        ("Manchester", "M", 35), ("Nottingham", "NG", 34), ("Bath", "BA", 22), ("Brighton", "BN", 29), ("Carlisle", "CA", 28), ("Inverness", "IV", 28),
        ("Plymouth", "PL", 21), ("Durham", "DH", 9),
    ];

    // The inward part of a postcode never has C, I, K, M, O or V.
    public const string InwardLetters = "ABDEFGHJLNPQRSTUWXYZ";

    public static readonly string[] Notes =
    [
        "Mirror wills drafted; awaiting signatures from both testators.",
        "Will signed in the presence of two witnesses. Original in the strongroom, copy sent to the client.",
        "Client wishes to leave the residue to the grandchildren in equal shares at 25.",
        "Executors: spouse, then the eldest daughter and the firm jointly.",
        "Guardianship clause added for the two minor children; sister has agreed.",
        "Specific gift: the grandfather clock and the contents of the workshop to the nephew.",
        "Lasting power of attorney (property and financial affairs) sent for registration.",
        "Property held as tenants in common since the severance of the joint tenancy; life interest trust discussed.",
        "Pecuniary legacy of £2,500 to a local hospice, free of tax.",
        "Client's capacity confirmed in a note of the meeting; doctor's letter requested given the age of the testator.",
        "Previous will of 2009 to be revoked – the codicil as well.",
        "Discretionary trust for the vulnerable beneficiary, letter of wishes to follow.",
        "Phoned about the missing middle name on the draft: “Ann” without an e.",
        "Inheritance tax: the residence nil-rate band applies; deeds requested from the Land Registry.",
        "Funeral wishes: cremation, no flowers, donations instead.\nClient will tell the family herself.",
        "Business property relief to be checked with the accountant before the next meeting.",
    ];
}
