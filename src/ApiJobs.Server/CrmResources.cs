using ApiJobs.Declarations;
using ApiJobs.Resources;

namespace ApiJobs.Server;

/// <summary>The CRM's records behind the bulk API: customer cases, and the customers of a case.</summary>
internal static class CrmResources
{
    public static Resource CustomerCase { get; } = new("customer_case", label: "Case", path: "cases",
    [
        Field.Text("ref", maxLength: 100) with { IsUnique = true, IsFilter = true },
        Field.Map("meta", maxMembers: 100, maxLength: 1_000),
        Email("email"),
        Field.Text("notes", maxLength: 10_000),
        Postcode("postcode"),
        Field.Text("full_names", maxLength: 500),
        Name("last_names"),
        Name("first_names"),
    ]);

    public static Resource Customer { get; } = new("customer", label: "Customer", path: "customers",
    [
        Field.Uuid("customer_case_id") with { References = CustomerCase.Name },
        Field.Text("title", maxLength: 50),
        Name("first_names"),
        Name("middle_names"),
        Name("last_name"),
        Field.Text("gender", maxLength: 50),
        Field.Date("date_of_birth"),
        Field.Text("marital_status", maxLength: 50),
        Field.Text("occupation", maxLength: 200),
        Email("email"),
        Telephone("tel_1"),
        Telephone("tel_2"),
        AddressLine("address_1"),
        AddressLine("address_2"),
        AddressLine("address_3"),
        Postcode("postcode"),
    ]);

    /// <summary>Declares what the server offers. Its endpoints, its tables and its scopes follow from this.</summary>
    public static void Declare(ApiJobsBuilder jobs) => jobs.AddResource(CustomerCase).AddResource(Customer);

    private static Field Name(string name) => Field.Text(name, maxLength: 200);

    // RFC 5321 leaves 254 characters for an address.
    private static Field Email(string name) => Field.Text(name, maxLength: 254);

    private static Field Telephone(string name) => Field.Text(name, maxLength: 50);

    private static Field AddressLine(string name) => Field.Text(name, maxLength: 200);

    private static Field Postcode(string name) => Field.Text(name, maxLength: 20) with { IsFilter = true };
}
