using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

/// <summary>Concept files: the repository's own, and broken ones.</summary>
public sealed class ConceptFileTests
{
    [Theory]
    [InlineData("A", 10)]
    [InlineData("B", 24)]
    [InlineData("C", 48)]
    [InlineData("near", 12)]
    [InlineData("textures", 12)]
    public void Repository_HoldsEverySet_WithEnoughConcepts(string set, int atLeast) =>
        Assert.InRange(Concepts.All.Count(concept => concept.Set == set), atLeast, 100);

    [Fact]
    public void SetA_HasTheClassesOfCifar10_InSeveralDrawingsEach()
    {
        Concept[] a = [.. Concepts.All.Where(concept => concept.Set == "A")];
        Assert.Equal(ClassNames.Cifar10.Order(StringComparer.Ordinal), a.Select(concept => concept.Name));
        Assert.All(a, concept => Assert.InRange(concept.Drawings.Count, 2, 10));
    }

    [Fact]
    public void HeldOut_AreSomeOodConceptsOnly()
    {
        Concept[] heldOut = [.. Concepts.All.Where(concept => concept.HeldOut)];
        Assert.NotEmpty(heldOut);
        Assert.All(heldOut, concept => Assert.Contains(concept.Set, new[] { "near", "textures" }));
        Assert.Contains(Concepts.All, concept => concept.Set == "near" && !concept.HeldOut);
    }

    [Fact]
    public void Textures_AndOnlyThey_HaveTiles() => Assert.All(Concepts.All, concept => Assert.Equal(concept.Set == "textures", concept.IsTexture));

    [Fact]
    public void Parse_ReadsAConceptOfOnesOwn()
    {
        Concept concept = Assert.Single(ConceptFile.Parse(Concepts.Json("oval", more: """ "synonyms": ["egg shape"], "colors": ["red"], """)));
        Assert.Equal(("oval", "toy", "an", false), (concept.Name, concept.Set, concept.Article, concept.HeldOut));
        Assert.Equal(["egg shape"], concept.Synonyms);
        Assert.False(concept.IsTexture);
    }

    [Fact]
    public void Parse_ReadsTheExampleOfTheReadme()
    {
        string readme = File.ReadAllText(Path.Combine(Concepts.Folder, "..", "README.md")).ReplaceLineEndings("\n");
        string example = readme.Split("```json\n")[1].Split("```")[0];
        Assert.Equal("snail", Assert.Single(ConceptFile.Parse(example)).Name);
    }

    [Theory]
    [InlineData("""{ "role": "body", "path": "M20 20 L" }""", "no SVG path data")]
    [InlineData("""{ "role": "body", "path": "" }""", "no SVG path data")]
    [InlineData("""{ "role": "head", "path": "M20 20H80V80H20Z" }""", "unknown role 'head', expected one of body, accent, light, detail, outline")]
    [InlineData("""{ "role": "2", "path": "M20 20H80V80H20Z" }""", "unknown role '2'")]
    [InlineData("""{ "role": "detail", "path": "M20 20H80V80H20Z" }""", "no part has the role body")]
    [InlineData("""{ "role": "body", "path": "M20 20H80V80H20Z", "width": 0 }""", "the width of an outline is 0")]
    [InlineData("""{ "role": "body", "path": "M20 20H80V80H20Z", "colour": "red" }""", "not a concept file")]
    public void Parse_OfABrokenPart_NamesTheConceptAndWhatIsWrong(string part, string says)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ConceptFile.Parse(Concepts.Json(parts: part), "toy.json"));
        Assert.StartsWith("toy.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Square", "lower case")]
    [InlineData(" square", "without spaces around it")]
    public void Parse_OfABrokenName_SaysWhatNamesAreLike(string name, string says) => Assert.Contains(
        says, Assert.Throws<InvalidDataException>(() => ConceptFile.Parse(Concepts.Json(name))).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_OfAnUnknownColour_ListsTheColours() => Assert.Contains(
        "no colour 'mauve'. Colours: black, blue,",
        Assert.Throws<InvalidDataException>(() => ConceptFile.Parse(Concepts.Json(more: """ "colors": ["mauve"], """))).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("square")]
    [InlineData("box")]
    public void LoadFolder_WithANameTwice_NamesBothFiles(string second)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.PathOf("a.json"), Concepts.Json(more: """ "synonyms": ["box"], """));
        File.WriteAllText(folder.PathOf("b.json"), Concepts.Json(second));
        string message = Assert.Throws<InvalidDataException>(() => ConceptFile.LoadFolder(folder.Path)).Message;
        Assert.Contains($"the name '{second}'", message, StringComparison.Ordinal);
        Assert.Contains("a.json", message, StringComparison.Ordinal);
        Assert.Contains("b.json", message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadFolder_WithoutFiles_SaysSo()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("holds no .json file", Assert.Throws<InvalidDataException>(() => ConceptFile.LoadFolder(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => ConceptFile.LoadFolder(folder.PathOf("none")));
    }
}
