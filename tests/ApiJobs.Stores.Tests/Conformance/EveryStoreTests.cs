namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>No store may leave a part of the suite out.</summary>
public sealed class EveryStoreTests
{
    private static readonly Type[] AllTypes = typeof(StoreTests).Assembly.GetTypes();

    public static TheoryData<string, string> PartsByStore { get; } = new(
        from part in AllTypes
        where part.IsAbstract && part.IsSubclassOf(typeof(StoreTests))
        from store in AllTypes
        where store.BaseType == typeof(StoreFixture)
        select (part.Name, store.Name));

    [Fact]
    public void There_is_something_to_check()
    {
        AllTypes.Count(type => type.BaseType == typeof(StoreFixture)).ShouldBe(2);
        AllTypes.Count(type => type.IsAbstract && type.IsSubclassOf(typeof(StoreTests))).ShouldBeGreaterThan(10);
    }

    [Theory]
    [MemberData(nameof(PartsByStore))]
    public void Every_part_of_the_suite_is_run_on_every_store(string part, string store)
    {
        AllTypes.ShouldContain(
            type => type.IsPublic && type.IsSealed && type.BaseType!.Name == part
                && type.GetConstructors()[0].GetParameters().Select(parameter => parameter.ParameterType.Name).SequenceEqual(new[] { store }),
            $"No public sealed subclass of {part} takes {store}. Add it to the store's conformance file.");
    }
}
