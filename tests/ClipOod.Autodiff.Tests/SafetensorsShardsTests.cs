namespace ClipOod.Autodiff.Tests;

public sealed class SafetensorsShardsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_AnIndex_GivesTheTensorsOfAllItsFiles()
    {
        Write("one.safetensors", "a", "b");
        Write("two.safetensors", "c");
        using SafetensorsShards tensors = SafetensorsShards.Open(
            Index("""{"metadata":{"total_size":3},"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}}"""));
        Assert.Equal(["a", "b", "c"], tensors.Names);
        Assert.Equal([1], tensors.Find("c")!.ToBytes());
        Assert.Null(tensors.Find("d"));
        Assert.Equal(2, tensors.Files.Count);
    }

    [Fact]
    public void Open_OneFile_GivesItsTensorsAndMetadata()
    {
        Write("one.safetensors", "a");
        using SafetensorsShards tensors = SafetensorsShards.Open(_folder.PathOf("one.safetensors"));
        Assert.Equal(["a"], tensors.Names);
        Assert.Equal("one.safetensors", tensors.Metadata["of"]);
    }

    [Theory]
    [InlineData("[", "expected JSON with a weight_map")]
    [InlineData("{}", "expected JSON with a weight_map")]
    [InlineData("""{"weight_map":{}}""", "lists no tensors")]
    [InlineData("""{"weight_map":{"a":1}}""", "expected JSON with a weight_map")]
    [InlineData("""{"weight_map":{"a":"../one.safetensors"}}""", "expected the name of a file beside it")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","z":"one.safetensors"}}""", "do not hold: 'z' in one.safetensors")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","b":"same.safetensors"}}""", "'b' is in more than one")]
    public void Open_ABadIndex_SaysWhatIsWrong(string index, string reason)
    {
        Write("one.safetensors", "a", "b");
        Write("same.safetensors", "b");
        string path = Index(index);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsShards.Open(path));
        Assert.StartsWith($"{path}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AMissingShard_NamesIt()
    {
        string path = Index("""{"weight_map":{"a":"gone.safetensors"}}""");
        Assert.Contains("gone.safetensors", Assert.Throws<FileNotFoundException>(() => SafetensorsShards.Open(path)).Message, StringComparison.Ordinal);
    }

    private string Index(string json)
    {
        string path = _folder.PathOf("model.safetensors.index.json");
        File.WriteAllText(path, json);
        return path;
    }

    private void Write(string file, params string[] names) => Safetensors.Write(
        _folder.PathOf(file),
        names.Select(name => SafetensorsTensor.FromBytes(name, [1], [1])),
        new Dictionary<string, string> { ["of"] = file });
}
