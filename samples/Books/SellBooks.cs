using System.Text.Json.Serialization;
using ApiJobs.Operations;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Books;

/// <summary>A record of a bulk request: so many copies of a book were sold.</summary>
public sealed record Sale(string Isbn, int Copies);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Sale))]
internal sealed partial class SaleJson : JsonSerializerContext;

/// <summary>Takes sold copies from the stock. What comes of a record depends on the row, which no declaration can say.</summary>
public sealed class SellBooks(ILogger<SellBooks> logger) : BulkOperation<Sale>("book_sale_bulk_create", "Book", SaleJson.Default.Sale)
{
    protected override string? KeyOf(Sale sale) => sale.Isbn;

    protected override async Task ApplyAsync(
        IReadOnlyList<BulkRecord<Sale>> records, OperationContext context, CancellationToken cancellationToken)
    {
        foreach (var (record, sale) in records)
        {
            // What is done in this transaction is kept together with the job's progress, or not at all: so each record takes effect once.
            await using var sell = (SqliteCommand)context.CreateCommand(
                "UPDATE book SET stock = stock - $copies WHERE company_id = $company AND isbn = $isbn AND stock >= $copies");
            sell.Parameters.AddWithValue("$company", context.CompanyId.ToByteArray(bigEndian: true));
            sell.Parameters.AddWithValue("$isbn", sale.Isbn);
            sell.Parameters.AddWithValue("$copies", sale.Copies);
            if (await sell.ExecuteNonQueryAsync(cancellationToken) == 1)
                record.Updated();
            else
                record.Fail("out_of_stock", $"There are not {sale.Copies} copies of {sale.Isbn}.", "/copies");
        }

        logger.LogInformation("{Count} sales were seen.", records.Count);
    }
}
