using ApiJobs.Resources;
using Books;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication();                             // and your own scheme
builder.Services.AddSqliteStore("Data Source=data/jobs.db");      // or AddPostgreSqlStore(connectionString)
builder.Services.AddApiJobs(jobs => jobs
    .AddResource(new Resource("book", label: "Book", path: "books", fields:
    [
        Field.Text("isbn", maxLength: 20) with { IsUnique = true, IsFilter = true },
        Field.Text("title", maxLength: 200) with { IsRequired = true },
        Field.Date("published"),
        Field.Integer("stock"),
    ]))
    .AddOperation<SellBooks>("POST", "books/sales/bulk"));

var app = builder.Build();
app.UseAuthentication();
app.MapApiJobs("/api");       // POST, PATCH and PUT /api/books/bulk, GET /api/api-jobs/{id}, GET /api/books …
app.Run();
