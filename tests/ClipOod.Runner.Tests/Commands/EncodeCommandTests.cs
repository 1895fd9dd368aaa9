using ClipOod.Notebook;
using static ClipOod.Runner.Tests.Commands.Invocation;

namespace ClipOod.Runner.Tests.Commands;

/// <summary>The commands on the tiny CLIP of the repository, with pictures that it was trained to know.</summary>
public sealed class EncodeCommandTests : IDisposable
{
    private static readonly string _model = Path.Combine(Repository.Root, "data", "pictograms", "models", "micro");

    private readonly TemporaryFolder _folder = new();
    private readonly string _images;

    public EncodeCommandTests()
    {
        _images = _folder.PathOf("things");
        foreach (string part in new[] { "train", "test" })
        {
            foreach (Concept concept in ConceptsOf("cat", "dog"))
            {
                string own = Directory.CreateDirectory(Path.Combine(_images, part, concept.Name)).FullName;
                ImageBatch pictures = PictogramStudio.Draw(concept, 5, part);
                for (int i = 0; i < pictures.Count; i++)
                {
                    File.WriteAllBytes(Path.Combine(own, $"{i}.png"), pictures.ToPng(i));
                }
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Encode_WritesBothParts_AndTexts_ThatTellTheClassesApart()
    {
        File.WriteAllText(Path.Combine(_images, "train", "cat", "broken.png"), "x");

        var (code, output, error) = await EncodeAsync("out");

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("1 images could not be read and are left out:\n  cat/broken.png: 'cat/broken.png' is not an image", output, StringComparison.Ordinal);
        Assert.Equal(
            ["model.path", "things-test.path", "things-test.safetensors", "things-text.safetensors", "things-train.path", "things-train.safetensors", "words-text.safetensors"],
            Directory.GetFileSystemEntries(_folder.PathOf("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        FeatureSet test = FeatureSet.Load(_folder.PathOf("out/things-test.safetensors"));
        TextFeatures text = EncodedTexts.Load(_folder.PathOf("out/things-text.safetensors"))[0];
        Matrix cosines = Similarity.Cosines(test.Features, text.Features);
        Assert.InRange(cosines.ArgMax().Zip(test.Labels, (found, label) => found == label ? 1 : 0).Sum(), 7, 10);

        var again = await EncodeAsync("out");
        Assert.Equal(0, again.Code);
        Assert.Equal(2, again.Output.Split("is there already").Length - 1);
    }

    [Fact]
    public async Task ShardsInTwoFolders_Merge_ToTheFileOfOneRun()
    {
        await EncodeAsync("one", "--split", "test");
        Assert.Contains("Shard 1/2 is whole", (await EncodeAsync("a", "--split", "test", "--shard", "1/2")).Output, StringComparison.Ordinal);
        await EncodeAsync("b", "--split", "test", "--shard", "2/2");

        var (code, output, error) = await InvokeAsync("merge", _folder.PathOf("a"), _folder.PathOf("b"));

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("things-test.safetensors: 10 images", output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(_folder.PathOf("one/things-test.safetensors")), File.ReadAllBytes(_folder.PathOf("a/things-test.safetensors")));
        Assert.Contains("is there already", (await InvokeAsync("merge", _folder.PathOf("a"), _folder.PathOf("b"))).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Classes_NameTheFolders()
    {
        await EncodeAsync("out", "--split", "test", "--classes", _folder.Write("names.txt", "tabby cat\nhunting dog\n"));

        Assert.Equal(["tabby cat", "hunting dog"], FeatureSet.Load(_folder.PathOf("out/things-test.safetensors")).Classes);
        Assert.Contains("has 1 names, expected one for each of the 2 classes", (await EncodeAsync("out2", "--classes", _folder.Write("one.txt", "cat"))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherModel_InTheSameFolder_IsRefused()
    {
        await EncodeAsync("out", "--split", "test");

        var (code, _, error) = await InvokeAsync("encode", "--model", Path.Combine(Repository.Root, "data", "pictograms", "models", "mini"), "--data", _images, "--output", _folder.PathOf("out"));

        Assert.Equal(2, code);
        Assert.Contains("do not compare. Give another --output", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no model 'openai-vit-b-33': it is no file or folder, and the catalogue's weights are openai-vit-b-32", "--model", "openai-vit-b-33", "--data", "IMAGES")]
    [InlineData("There are no images 'cifar11': it is no folder, and the data sets that can be fetched and read are cifar10", "--model", "MODEL", "--data", "cifar11")]
    [InlineData("--shard 5/4: expected I/N with I from 1 to N", "--model", "MODEL", "--data", "IMAGES", "--shard", "5/4")]
    [InlineData("--name a/b: expected letters", "--model", "MODEL", "--data", "IMAGES", "--name", "a/b")]
    [InlineData("Option '--data' is required", "--model", "MODEL")]
    [InlineData("holds no images", "--model", "MODEL", "--data", "IMAGES", "--split", "valid")]
    public async Task BadInput_IsSaid(string says, params string[] arguments)
    {
        var (code, _, error) = await InvokeAsync(
            ["encode", "--output", _folder.PathOf("bad"), .. arguments.Select(argument => argument switch { "MODEL" => _model, "IMAGES" => _images, _ => argument })]);

        Assert.Equal(2, code);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.PathOf("bad")));
    }

    [Fact]
    public async Task Merge_OfNoShards_SaysSo()
    {
        Assert.Contains("holds no shards", (await InvokeAsync("merge", _images)).Error, StringComparison.Ordinal);
        Assert.Contains("There is no folder", (await InvokeAsync("merge", _folder.PathOf("nowhere"))).Error, StringComparison.Ordinal);
    }

    private static IEnumerable<Concept> ConceptsOf(params string[] names) =>
        PictogramFolder.Open(Path.Combine(Repository.Root, "data", "pictograms"), "micro").Concepts.Where(concept => names.Contains(concept.Name)).OrderBy(concept => concept.Name, StringComparer.Ordinal);

    private Task<(int Code, string Output, string Error)> EncodeAsync(string folder, params string[] more) =>
        InvokeAsync(["encode", "--model", _model, "--data", _images, "--output", _folder.PathOf(folder), .. more]);
}
