namespace ClipOod.Notebook.Tests;

public sealed class SourceCatalogTests
{
    [Fact]
    public void EveryEntry_SaysWhereItComesFrom()
    {
        Assert.All(SourceCatalog.All, entry =>
        {
            Assert.All(new[] { entry.Title, entry.Purpose, entry.Licence, entry.Citation }, text => Assert.False(string.IsNullOrWhiteSpace(text)));
            Assert.True(entry.Kind != SourceKind.Weights || entry.Model is not null || entry.Manual is not null, $"{entry.Name} says nothing of its model.");
            Assert.True(entry.Manual is null || entry.Files.All(file => file.Address is null), $"{entry.Name} is got by hand, and has an address.");
            Assert.All(entry.Files, file =>
            {
                Assert.True(file.Sha256 is null || (file.Sha256.Length == 64 && file.Sha256.All(char.IsAsciiHexDigitLower)), file.Path);
                Assert.True(file.Md5 is null || (file.Md5.Length == 32 && file.Md5.All(char.IsAsciiHexDigitLower)), file.Path);
                Assert.All(file.Address is null ? [] : (string[])[file.Address, .. file.Mirrors ?? []], address => Assert.True(
                    Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "https" or "http" or "hf", address));
            });
        });
        Assert.Equal(SourceCatalog.All.OrderBy(entry => entry.Kind).Select(entry => entry.Name), SourceCatalog.All.Select(entry => entry.Name));
        Assert.Equal("weights", Path.GetFileName(Path.GetDirectoryName(SourceCatalog.Find("openai-vit-b-32")!.Folder)));
        Assert.Null(SourceCatalog.Find("no-such-thing"));
    }

    [Theory]
    [InlineData("""[{"name":"a"}]""", "missing")]
    [InlineData("""[{"name":"../a","kind":"weights","title":"","purpose":"","licence":"","citation":"","files":[{"path":"x","address":"y"}]}]""", "its name is no name of a folder")]
    [InlineData("""[{"name":"a","kind":"weights","title":"","purpose":"","licence":"","citation":"","files":[]}]""", "it has no files")]
    [InlineData("""[{"name":"a","kind":"weights","title":"","purpose":"","licence":"","citation":"","files":[{"path":"../x","address":"y"}]}]""", "'../x' leaves its folder")]
    [InlineData("""[{"name":"a","kind":"weights","title":"","purpose":"","licence":"","citation":"","files":[{"path":"x","address":"y"},{"path":"X","address":"z"}]}]""", "two of its files have one path")]
    [InlineData("""[{"name":"a","kind":"weights","title":"","purpose":"","licence":"","citation":"","files":[{"path":"x"}]}]""", "'x' has no address")]
    public void ABrokenCatalogue_IsRefused(string json, string says) =>
        Assert.Contains(says, Assert.Throws<InvalidDataException>(() => SourceCatalog.Read(json, "catalogue.json")).Message, StringComparison.Ordinal);
}
