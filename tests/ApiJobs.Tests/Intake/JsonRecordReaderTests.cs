using System.Text;
using ApiJobs.Intake;

namespace ApiJobs.Tests.Intake;

public sealed class JsonRecordReaderTests
{
    private static readonly IntakeOptions Small = new() { MaxRecordBytes = 100, MaxDepth = 5, MaxRecords = 3 };

    public static TheoryData<string, string[]> Bodies => new()
    {
        { """[{"a":1}]""", ["""{"a":1}"""] },
        { """{"records":[{"a":1},{"b":2}]}""", ["""{"a":1}""", """{"b":2}"""] },
        { "{\"rec\\u006frds\":[{}]}", ["{}"] },
        { "{\"\\u0072\\u0065\\u0063\\u006f\\u0072\\u0064\\u0073\" \n:\t[{}]\r}", ["{}"] },
        { " \r\n\t[ \n{ \"a\" : [ 1 , 2 ] } \t,\n{}\n]\n ", ["{ \"a\" : [ 1 , 2 ] }", "{}"] },
        { "\uFEFF[{}]", ["{}"] },
        { "\uFEFF {\"records\":[{}]}", ["{}"] },
        { """[{"a":"\ud800"},{"a":"\u0000"},{"a":1e400}]""", ["""{"a":"\ud800"}""", """{"a":"\u0000"}""", """{"a":1e400}"""] },
        { """[{"a":"]},{","é":"😀"},{"a":1,"a":2}]""", ["""{"a":"]},{","é":"😀"}""", """{"a":1,"a":2}"""] },
        { "[" + new string(' ', 300) + "{}," + new string('\n', 300) + "{}" + new string(' ', 300) + "]" + new string('\n', 300), ["{}", "{}"] },
        { """[{"a":[[[1]]]}]""", ["""{"a":[[[1]]]}"""] },
        { """{"records":[{"a":[[1]]}]}""", ["""{"a":[[1]]}"""] },
        { $$"""[{"a":"{{new string('x', 92)}}"}]""", [$$"""{"a":"{{new string('x', 92)}}"}"""] },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_gives_its_records_exactly_as_sent(string body, string[] records)
    {
        var reading = await ReadAsync(body);

        reading.Fault.ShouldBeNull();
        reading.Records.ShouldBe(records);
    }

    /// <summary>Bodies in Latin-1 (so that <c>ÿ</c> is the byte 0xFF), the code of their fault, its offset, the index of its record.</summary>
    public static TheoryData<string, string, long, long?> Faults => new()
    {
        // Cut off.
        { "", RequestFaultCodes.MalformedBody, 0, null },
        { " \n ", RequestFaultCodes.MalformedBody, 3, null },
        { "ï»¿", RequestFaultCodes.MalformedBody, 3, null },
        { "[", RequestFaultCodes.MalformedBody, 1, null },
        { "[{}", RequestFaultCodes.MalformedBody, 3, null },
        { "[{},", RequestFaultCodes.MalformedBody, 4, null },
        { "[{}, {\"a\"", RequestFaultCodes.MalformedBody, 9, 1 },
        { "[{\"a\":\"bc", RequestFaultCodes.MalformedBody, 9, 0 },
        { "[{\"a\":\"bc\\", RequestFaultCodes.MalformedBody, 10, 0 },
        { "[{\"a\":\"Ã", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":12", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":tru", RequestFaultCodes.MalformedBody, 9, 0 },
        { "{", RequestFaultCodes.MalformedBody, 1, null },
        { "{\"records\"", RequestFaultCodes.MalformedBody, 10, null },
        { "{\"records\":", RequestFaultCodes.MalformedBody, 11, null },
        { "{\"records\":[{}]", RequestFaultCodes.MalformedBody, 15, null },
        { "{\"records\":[{}],", RequestFaultCodes.MalformedBody, 16, null },
        { "{\"", RequestFaultCodes.MalformedBody, 2, null },
        { "{\"rec", RequestFaultCodes.MalformedBody, 5, null },
        { "{\"records\":[{}],\"rec", RequestFaultCodes.MalformedBody, 20, null },
        { "{\"records\":nul", RequestFaultCodes.MalformedBody, 14, null },
        { "{\"records\":\"[", RequestFaultCodes.MalformedBody, 13, null },
        { "nul", RequestFaultCodes.MalformedBody, 3, null },
        { "\"abc", RequestFaultCodes.MalformedBody, 4, null },
        { "-", RequestFaultCodes.MalformedBody, 1, null },
        { "[nul", RequestFaultCodes.MalformedBody, 4, 0 },
        { "[{},\"a", RequestFaultCodes.MalformedBody, 6, 1 },
        { "[{},1.", RequestFaultCodes.MalformedBody, 6, 1 },

        // Broken JSON around the records.
        { "x", RequestFaultCodes.MalformedBody, 0, null },
        { "nope", RequestFaultCodes.MalformedBody, 1, null },
        { "]", RequestFaultCodes.MalformedBody, 0, null },
        { "ï»[]", RequestFaultCodes.InvalidUtf8, 0, null },
        { "ï»¿ï»¿[{}]", RequestFaultCodes.MalformedBody, 3, null },
        { "[,{}]", RequestFaultCodes.MalformedBody, 1, 0 },
        { "[{},]", RequestFaultCodes.MalformedBody, 4, 1 },
        { "[{},,{}]", RequestFaultCodes.MalformedBody, 4, 1 },
        { "[{} {}]", RequestFaultCodes.MalformedBody, 4, null },
        { "[{}\"a\"]", RequestFaultCodes.MalformedBody, 3, null },
        { "[{}}", RequestFaultCodes.MalformedBody, 3, null },
        { "[{}:", RequestFaultCodes.MalformedBody, 3, null },
        { "[{},nuxl]", RequestFaultCodes.MalformedBody, 6, 1 },
        { "[{},\"a\\x\"]", RequestFaultCodes.MalformedBody, 7, 1 },
        { "[{},01]", RequestFaultCodes.MalformedBody, 5, 1 },
        { "{records:[{}]}", RequestFaultCodes.MalformedBody, 1, null },
        { "{null:[{}]}", RequestFaultCodes.MalformedBody, 1, null },
        { "{\"rec\nords\":[{}]}", RequestFaultCodes.MalformedBody, 5, null },
        { "{\"records\" [{}]}", RequestFaultCodes.MalformedBody, 11, null },
        { "{\"records\":x}", RequestFaultCodes.MalformedBody, 11, null },
        { "{\"records\":[{}]]", RequestFaultCodes.MalformedBody, 15, null },
        { "{\"records\":[{}],}", RequestFaultCodes.MalformedBody, 16, null },
        { "[{}]/**/", RequestFaultCodes.MalformedBody, 4, null },
        { "// hello\n[{}]", RequestFaultCodes.MalformedBody, 0, null },

        // Bytes after the end.
        { "[{}][{}]", RequestFaultCodes.MalformedBody, 4, null },
        { "[{}] \n x", RequestFaultCodes.MalformedBody, 7, null },
        { "[{}]\0", RequestFaultCodes.MalformedBody, 4, null },
        { "{\"records\":[{}]}}", RequestFaultCodes.MalformedBody, 16, null },

        // Broken JSON in a record.
        { "[{'a':1}]", RequestFaultCodes.MalformedBody, 2, 0 },
        { "[{a:1}]", RequestFaultCodes.MalformedBody, 2, 0 },
        { "[{\"a\" 1}]", RequestFaultCodes.MalformedBody, 6, 0 },
        { "[{\"a\":}]", RequestFaultCodes.MalformedBody, 6, 0 },
        { "[{\"a\":1,}]", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":1]]", RequestFaultCodes.MalformedBody, 7, 0 },
        { "[{\"a\":[1}]", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":\n [1,\n2 3]}]", RequestFaultCodes.MalformedBody, 14, 0 },
        { "[{},{\"a\":NaN}]", RequestFaultCodes.MalformedBody, 9, 1 },
        { "[{},{\"a\":tru3}]", RequestFaultCodes.MalformedBody, 12, 1 },
        { "[{},{\"a\":truex}]", RequestFaultCodes.MalformedBody, 13, 1 },
        { "[{},{\"a\":1.x}]", RequestFaultCodes.MalformedBody, 11, 1 },
        { "[{},{\"a\":01}]", RequestFaultCodes.MalformedBody, 10, 1 },
        { "[{},{\"a\":+1}]", RequestFaultCodes.MalformedBody, 9, 1 },
        { "[{},{\"a\":1e}]", RequestFaultCodes.MalformedBody, 11, 1 },
        { "[{\"a\":\"b\nc\"}]", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":\"b\tc\"}]", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":\"b\\xc\"}]", RequestFaultCodes.MalformedBody, 9, 0 },
        { "[{\"a\":\"b\\u00g0\"}]", RequestFaultCodes.MalformedBody, 12, 0 },
        { "[{\"a\":1 /* one */}]", RequestFaultCodes.MalformedBody, 8, 0 },
        { "[{\"a\":1\0}]", RequestFaultCodes.MalformedBody, 7, 0 },
        { "[{\"a\":Ã©}]", RequestFaultCodes.MalformedBody, 6, 0 },

        // Invalid UTF-8, wherever it is.
        { "ÿþ[\0{\0", RequestFaultCodes.InvalidUtf8, 0, null },
        { "é[{}]", RequestFaultCodes.InvalidUtf8, 0, null },
        { "[{\"a\":\"café\"}]", RequestFaultCodes.InvalidUtf8, 10, 0 },
        { "[{\"a\":\"Ã©\"},{\"a\":\"bÿc\"}]", RequestFaultCodes.InvalidUtf8, 19, 1 },
        { "[{\"é\":1}]", RequestFaultCodes.InvalidUtf8, 3, 0 },
        { "[{\"a\":\"\u00ed\u00a0\u0080\"}]", RequestFaultCodes.InvalidUtf8, 7, 0 },
        { "[{\"a\":\"\u00c0\u00af\"}]", RequestFaultCodes.InvalidUtf8, 7, 0 },
        { "[{\"a\":\"\u00f4\u0090\u0080\u0080\"}]", RequestFaultCodes.InvalidUtf8, 7, 0 },
        { "[{\"a\":\"ÿ\",}]", RequestFaultCodes.InvalidUtf8, 7, 0 },
        { "[{\"a\":\"ÿ", RequestFaultCodes.InvalidUtf8, 7, 0 },
        { "[{\"a\":,\"ÿ\"}]", RequestFaultCodes.MalformedBody, 6, 0 },
        { "[{\"a\":ÿ}]", RequestFaultCodes.InvalidUtf8, 6, 0 },
        { "[ÿ]", RequestFaultCodes.InvalidUtf8, 1, 0 },
        { "[\"abÿ\"]", RequestFaultCodes.InvalidUtf8, 4, 0 },
        { "[{}ÿ]", RequestFaultCodes.InvalidUtf8, 3, null },
        { "[{}]ÿ", RequestFaultCodes.InvalidUtf8, 4, null },
        { "{\"recÿrds\":[{}]}", RequestFaultCodes.InvalidUtf8, 5, null },

        // Too deep: the body's outermost array or object is level 1, and the limit is 5.
        { "[{\"a\":[[[[1]]]]}]", RequestFaultCodes.TooDeep, 9, 0 },
        { "[{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}]", RequestFaultCodes.TooDeep, 21, 0 },
        { "{\"records\":[{\"a\":[[[1]]]}]}", RequestFaultCodes.TooDeep, 19, 0 },
        { "[{},{\"a\":[[[ 1 [", RequestFaultCodes.MalformedBody, 15, 1 },

        // Well-formed, but not a list of records.
        { "1", RequestFaultCodes.WrongShape, 0, null },
        { " \"abc\"", RequestFaultCodes.WrongShape, 1, null },
        { "null", RequestFaultCodes.WrongShape, 0, null },
        { "{}", RequestFaultCodes.WrongShape, 1, null },
        { "{\"id\":1}", RequestFaultCodes.WrongShape, 1, null },
        { "{\"\":1}", RequestFaultCodes.WrongShape, 1, null },
        { "{\"rec\\ud800rds\":[{}]}", RequestFaultCodes.WrongShape, 1, null },
        { "{\"" + new string('x', 300) + "\":1}", RequestFaultCodes.WrongShape, 1, null },
        { "{\"records\":{}}", RequestFaultCodes.WrongShape, 11, null },
        { "{\"records\":null}", RequestFaultCodes.WrongShape, 11, null },
        { "{\"records\":[{}],\"total\":1}", RequestFaultCodes.WrongShape, 16, null },
        { "{\"records\":[{}],\"records\":[{}]}", RequestFaultCodes.WrongShape, 16, null },
        { "{\"total\":1,\"records\":[{}]}", RequestFaultCodes.WrongShape, 1, null },

        // Elements that are not objects.
        { "[1]", RequestFaultCodes.RecordNotObject, 1, 0 },
        { "[{}, null]", RequestFaultCodes.RecordNotObject, 5, 1 },
        { "[{},{},[{}]]", RequestFaultCodes.RecordNotObject, 7, 2 },
        { "{\"records\":[{},\"a\"]}", RequestFaultCodes.RecordNotObject, 15, 1 },
        { "[\"" + new string('x', 300) + "\"]", RequestFaultCodes.RecordNotObject, 1, 0 },

        // No records, too many, too large.
        { "[]", RequestFaultCodes.NoRecords, 1, null },
        { "{\"records\":[ ]}", RequestFaultCodes.NoRecords, 13, null },
        { "[{},{},{},{}]", RequestFaultCodes.TooManyRecords, 10, 3 },
        { "[{},{\"a\":\"" + new string('x', 93) + "\"}]", RequestFaultCodes.RecordTooLarge, 4, 1 },
        { "[{},{\"a\":\"" + new string('x', 9_000) + "\"}]", RequestFaultCodes.RecordTooLarge, 4, 1 },
        { "[{},{" + new string(' ', 9_000) + "}]", RequestFaultCodes.RecordTooLarge, 4, 1 },
        { "[{},{\"a\":\"" + new string('x', 200) + "\n", RequestFaultCodes.RecordTooLarge, 4, 1 },
        { "[{},{\"a\":\"" + new string('x', 200) + "ÿ", RequestFaultCodes.RecordTooLarge, 4, 1 },
        { "[{},{\"a\":\"ÿ" + new string('x', 200) + "\"}]", RequestFaultCodes.InvalidUtf8, 10, 1 },
        { "[{},{\"a\":\"" + new string('x', 93) + "\n", RequestFaultCodes.MalformedBody, 103, 1 },
        { "[{},{\"a\":\"" + new string('x', 94) + "\n", RequestFaultCodes.RecordTooLarge, 4, 1 },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_is_named_with_its_position(string body, string code, long byteOffset, long? recordIndex)
    {
        var reading = await BodyReading.OfEverySplitAsync(Encoding.Latin1.GetBytes(body), stream => new JsonRecordReader(stream, Small));

        var fault = reading.Fault.ShouldNotBeNull();
        (fault.Code, fault.ByteOffset, fault.RecordIndex, fault.Line).ShouldBe((code, byteOffset, recordIndex, null), fault.Detail);
        fault.Detail.Length.ShouldBeLessThan(400);
        fault.Detail.ShouldAllBe(letter => letter == '…' || (letter >= ' ' && letter <= '~'));
    }

    /// <summary>What an integrator reads at two in the morning.</summary>
    [Theory]
    [InlineData("[{\"a\":1},{\"a\":2,}]",
        "The JSON is broken at byte 16 of the body (record 1; bytes and records are counted from 0): a comma before `}]` is one too many. Correct it there and send the whole request again; nothing of it was stored.")]
    [InlineData("[{'a':1}]",
        "The JSON is broken at byte 2 of the body (record 0; bytes and records are counted from 0): `'a':1}]` begins with a single quote, and JSON has only double quotes. Correct it there and send the whole request again; nothing of it was stored.")]
    [InlineData("[{\"a\":1}{\"a\":2}]",
        "The JSON is broken at byte 8 of the body (counted from 0): `{\"a\":2}]` was not expected here, where a comma or `]` must stand. Correct it there and send the whole request again; nothing of it was stored.")]
    [InlineData("[{\"a\":1},",
        "The body is cut off at byte 9 of the body (counted from 0), where a record must stand. It was broken off on its way or written incompletely: send the whole request again.")]
    [InlineData("{\"rec",
        "The body is cut off at byte 5 of the body (counted from 0), in the middle of `\"rec`. It was broken off on its way or written incompletely: send the whole request again.")]
    [InlineData("{\"data\":[{\"a\":1}]}",
        "The object has the member `\"data\"`. At byte 1 of the body (counted from 0), the body is not a list of records. Send a JSON array of objects, or {\"records\":[…]} with no other member.")]
    [InlineData("[{\"a\":\"café\"}]",
        "The byte 0xE9 at byte 10 of the body (record 0; bytes and records are counted from 0) is not UTF-8. It looks like Latin-1 or Windows-1252: write the body in UTF-8 and send the whole request again.")]
    [InlineData("[{\"a\":\"\u001b[31m<script>\"}]",
        "The JSON is broken at byte 7 of the body (record 0; bytes and records are counted from 0): the control character 0x1B may not stand here; inside a text write it as an escape such as \\n or \\u001B. Correct it there and send the whole request again; nothing of it was stored.")]
    public async Task A_fault_says_what_is_wrong_and_what_to_do(string body, string detail) =>
        (await BodyReading.OfAsync(new JsonRecordReader(new SplitStream(Encoding.Latin1.GetBytes(body), 1), Small))).Fault!.Detail.ShouldBe(detail);

    [Fact]
    public async Task After_a_fault_the_same_fault_is_thrown_again_and_after_the_end_nothing_more_is_read()
    {
        await using var broken = new JsonRecordReader(new SplitStream("[{},x]"u8.ToArray(), 1), Small);
        (await broken.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();
        var first = await Should.ThrowAsync<RequestFaultException>(() => broken.ReadAsync(CancellationToken.None).AsTask());
        var second = await Should.ThrowAsync<RequestFaultException>(() => broken.ReadAsync(CancellationToken.None).AsTask());
        second.Fault.ShouldBe(first.Fault);

        await using var whole = new JsonRecordReader(new SplitStream("[{}]"u8.ToArray(), 1), Small);
        (await whole.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeTrue();
        (await whole.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeFalse();
        (await whole.ReadAsync(TestContext.Current.CancellationToken)).ShouldBeFalse();
        whole.Current.IsEmpty.ShouldBeTrue();
    }

    private static Task<BodyReading> ReadAsync(string body) =>
        BodyReading.OfEverySplitAsync(Encoding.UTF8.GetBytes(body), stream => new JsonRecordReader(stream, Small));
}
