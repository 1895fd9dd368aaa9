namespace ClipOod.Notebook.Tests;

/// <summary>The folder of the embedded world: what belongs together, and what does not is refused.</summary>
public sealed class PictogramFolderTests
{
    [Fact]
    public void EveryShippedModel_IsTheOneOfItsManifest_AndWasTrainedOnTheseConcepts()
    {
        PictogramFolder world = PictogramFolder.Open(Concepts.Folder);
        Assert.Contains(PictogramFolder.DefaultModel, world.Models);
        Assert.All(world.Models, name =>
        {
            PictogramFolder folder = PictogramFolder.Open(Concepts.Folder, name);
            Assert.Equal("", folder.ConceptsNote);
            Assert.Equal(folder.Concepts.Where(concept => concept.HeldOut).Select(concept => concept.Name), folder.Manifest.HeldOut);
            Assert.InRange(folder.Manifest.Bytes, 1, 8_000_000);
            using Clip.ClipModel model = folder.LoadModel();
            Assert.Equal(folder.Manifest.Parameters, model.Config.ParameterCount);
        });
    }

    [Fact]
    public void Open_WithOtherWeights_IsRefusedWithBothHashes()
    {
        using TemporaryFolder copy = Copy();
        string weights = Path.Combine(PictogramFolder.FolderOf(copy.Path, "base"), PictogramFolder.WeightsFile);
        byte[] bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        string message = Assert.Throws<InvalidDataException>(() => PictogramFolder.Open(copy.Path)).Message;
        Assert.Contains(PictogramManifest.HashFile(weights), message, StringComparison.Ordinal);
        Assert.Contains(PictogramFolder.Open(Concepts.Folder).Manifest.WeightsSha256, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PictogramFolder.WeightsFile)]
    [InlineData(PictogramFolder.VocabularyFile)]
    [InlineData(PictogramManifest.FileName)]
    public void Open_WithoutAFile_NamesItAndTheCommand(string file)
    {
        using TemporaryFolder copy = Copy();
        File.Delete(Path.Combine(PictogramFolder.FolderOf(copy.Path, "base"), file));
        string message = Assert.Throws<InvalidDataException>(() => PictogramFolder.Open(copy.Path)).Message;
        Assert.Contains($"lacks {file}", message, StringComparison.Ordinal);
        Assert.Contains("clipood train pictograms", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WithABrokenManifest_NamesIt()
    {
        using TemporaryFolder copy = Copy();
        File.WriteAllText(Path.Combine(PictogramFolder.FolderOf(copy.Path, "base"), PictogramManifest.FileName), "{}");
        Assert.Contains("manifest.json: not a manifest", Assert.Throws<InvalidDataException>(() => PictogramFolder.Open(copy.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChangedConcepts_AreAllowed_AndSaid()
    {
        using TemporaryFolder copy = Copy();
        File.WriteAllText(Path.Combine(copy.Path, "concepts", "own.json"), Concepts.Json("my own square"));
        PictogramFolder folder = PictogramFolder.Open(copy.Path);
        Assert.Contains(folder.Concepts, concept => concept.Name == "my own square");
        Assert.Contains("changed since the model was trained", folder.ConceptsNote, StringComparison.Ordinal);
    }

    private static TemporaryFolder Copy()
    {
        TemporaryFolder copy = new();
        foreach (string folder in new[] { "concepts", Path.Combine("models", "base") })
        {
            Directory.CreateDirectory(Path.Combine(copy.Path, folder));
            foreach (string file in Directory.EnumerateFiles(Path.Combine(Concepts.Folder, folder)))
            {
                File.Copy(file, Path.Combine(copy.Path, folder, Path.GetFileName(file)));
            }
        }

        return copy;
    }
}
