namespace ClipOod.Notebook.Tests;

public sealed class ClassOverlapTests
{
    [Theory]
    [InlineData("airplane", "251.airplanes-101")]
    [InlineData("headphone", "101.head-phones")]
    [InlineData("Motorbikes", "145.motorbikes-101")]
    [InlineData("car_side", "252.car-side-101")]
    [InlineData("hot dog", "108.hot-dog")]
    public void Find_MatchesSpellings(string id, string ood) =>
        Assert.Equal([new ClassPair(id, ood)], ClassOverlap.Find([id], [ood, "something else"]));

    [Theory]
    [InlineData("dog", "hot dog")]
    [InlineData("iri", "iris")]
    [InlineData("glas", "glass")]
    [InlineData("bu", "bus")]
    public void Find_LeavesOtherNamesAlone(string id, string ood) => Assert.Empty(ClassOverlap.Find([id], [ood]));

    [Fact]
    public void Find_ListsPairsInTheOrderOfTheIdClasses() => Assert.Equal(
        [new ClassPair("frog", "frogs"), new ClassPair("dog", "Dog")], ClassOverlap.Find(["frog", "cat", "dog"], ["Dog", "frogs", "zebra"]));

    [Theory]
    [InlineData("automobile", "car side")]
    [InlineData("automobile", "car_side")]
    [InlineData("bird", "flamingo_head")]
    [InlineData("duck", "bird")]
    [InlineData("Motorbikes", "motorcycle")]
    [InlineData("ship", "schooner")]
    public void Find_KnowsSynonymsAndKinds_InBothDirections_WithAReason(string id, string ood)
    {
        ClassPair pair = Assert.Single(ClassOverlap.Find([id], [ood]));
        Assert.NotEqual(ClassOverlap.SameName, pair.Reason);
        Assert.Equal(pair.Reason, Assert.Single(ClassOverlap.Find([ood], [id])).Reason);
    }

    [Theory]
    [InlineData("duck", "penguin")]
    [InlineData("truck", "bus")]
    [InlineData("deer", "gerenuk")]
    public void Find_KeepsSiblingsAndNeighbours(string id, string ood) => Assert.Empty(ClassOverlap.Find([id], [ood]));

    [Fact]
    public void Naming_TakesNamesAndSynonyms_NotKinds() =>
        Assert.Equal(["plane", "Airplanes"], ClassOverlap.Naming(["airplane", "bird"], ["plane", "duck", "Airplanes", "spoon"]));

    [Theory]
    [InlineData("[{\"names\":[\"a\"],\"reason\":\"r\"}]", "a second one")]
    [InlineData("[{\"names\":[],\"kinds\":[\"a\",\"b\"],\"reason\":\"r\"}]", "a second one")]
    [InlineData("[{\"names\":[\"a\",\"\"],\"reason\":\"r\"}]", "entry 0")]
    [InlineData("[{\"names\":[\"a\",\"b\"]}]", "reason")]
    [InlineData("{}", "not a list")]
    public void Parse_OfABrokenList_SaysWhichEntry(string json, string expected) => Assert.Contains(
        expected, Assert.Throws<InvalidDataException>(() => ClassOverlap.Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void EveryReviewedEntry_NamesAClassOfAWorld()
    {
        string? features = Environment.GetEnvironmentVariable(ClipFeatures.FolderVariable);
        Assert.SkipWhen(string.IsNullOrEmpty(features), $"{ClipFeatures.FolderVariable} is not set: most entries are about the data sets of the world '{ClipFeatures.WorldName}'.");
        HashSet<string> known = [.. new[] { World.Open(PictogramWorld.WorldName, null, 0), World.Open(ClipFeatures.WorldName, features, 0) }
            .SelectMany(world => world.Datasets.Values.SelectMany(set => set.Classes)
                .Concat(world.Ood.Values.SelectMany(set => set.Classes))
                .Concat(world.Text("words").Classes))
            .Select(ClassOverlap.Normalize)];
        string[] idle = [.. ClassOverlap.Reviewed
            .Where(entry => entry.Names.Concat(entry.Kinds).Count(name => known.Contains(ClassOverlap.Normalize(name))) < 2)
            .Select(entry => string.Join(", ", entry.Names))];
        Assert.True(idle.Length == 0, $"These entries of data/overlaps.json relate no two classes of the worlds: {string.Join("; ", idle)}");
    }
}
