namespace ClipOod.Notebook.Tests;

/// <summary>Captions say what is true of the picture.</summary>
public sealed class CaptionWriterTests
{
    private static readonly (Concept Concept, PictogramStyle Style, string Caption)[] _captions =
    [
        .. from concept in Concepts.All
           from seed in Enumerable.Range(0, 40)
           let random = new Random(seed)
           let style = PictogramStyle.Random(concept, random)
           select (concept, style, CaptionWriter.Write(concept, style, random)),
    ];

    [Fact]
    public void Caption_HasTheNameOrASynonym() => Assert.All(
        _captions,
        c => Assert.Contains(c.Concept.Synonyms.Prepend(c.Concept.Name), name => c.Caption.Contains(name, StringComparison.Ordinal)));

    [Fact]
    public void Caption_NamesOnlyColoursThatAreThere() => Assert.All(_captions, c =>
    {
        string[] words = c.Caption.Split(' ');
        Assert.All(
            words.Where(Palette.Contains).Where(color => !c.Concept.Synonyms.Prepend(c.Concept.Name).Any(name => name.Split(' ').Contains(color))),
            color => Assert.Contains(color, new[] { c.Style.Color, c.Style.Background }));
    });

    [Fact]
    public void Caption_SpeaksOfOutlinesAndBlur_OnlyWhereTheyAre() => Assert.All(_captions, c =>
    {
        Assert.True(!c.Caption.StartsWith("an outline of", StringComparison.Ordinal) || c.Style.Fill == FillMode.Lines, c.Caption);
        Assert.True(!c.Caption.StartsWith("a blurry", StringComparison.Ordinal) || c.Style.Blur > 0, c.Caption);
    });

    [Fact]
    public void Captions_Vary() => Assert.InRange(_captions.Select(c => c.Caption).Distinct().Count(), _captions.Length / 3, _captions.Length);

    [Fact]
    public void Articles_FitTheNextWord() => Assert.All(_captions, c =>
    {
        string[] words = c.Caption.Split(' ');
        Assert.All(words.Zip(words.Skip(1)), pair =>
        {
            Assert.False(pair.First == "a" && "aeio".Contains(pair.Second[0], StringComparison.Ordinal), c.Caption);
            Assert.False(pair.First == "an" && !"aeiou".Contains(pair.Second[0], StringComparison.Ordinal), c.Caption);
        });
    });
}
