using ApiJobs.Jobs;
using ApiJobs.Resources;
using ApiJobs.Server.Tests.Contract;
using Books;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>The README's C# is the sample's, which is compiled with everything else, and does what it says.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void The_readmes_code_is_the_samples() => Document.CSharpIn("README.md").ShouldBe(
        [Document.Read("samples/Books/Program.cs"), Document.Read("samples/Books/SellBooks.cs")]);

    [Fact]
    public async Task The_readmes_operation_gives_each_record_its_outcome()
    {
        await using var host = await EngineHost.StartAsync(jobs => jobs
            .AddResource(new Resource("book", "Book", "books", [Field.Text("isbn", 20) with { IsUnique = true }, Field.Integer("stock")]))
            .AddOperation<SellBooks>("POST", "books/sales/bulk"));
        await host.RunAsync("book_bulk_create", """[{"isbn":"A","stock":2}]""");
        var job = await host.RunAsync("book_sale_bulk_create", """[{"isbn":"A","copies":2},{"isbn":"A","copies":1}]""");
        job.Counts.ShouldBe(new OutcomeCounts(Created: 0, Updated: 1, Unchanged: 0, Failed: 1));
    }
}
