using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ClipOod.Notebook.Tests;

public sealed class FeatureFolderTests : IDisposable
{
    private const int Width = 8;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AFolderOfArrays_IsAWorld()
    {
        WriteAll();
        File.WriteAllText(_folder.PathOf("world.json"), """{ "model": "a ResNet", "logitScale": 50 }""");

        World world = World.OpenFeatures(_folder.Path, seed: 3);

        Assert.Equal(Path.GetFileName(_folder.Path), world.Name);
        Assert.Equal(("a ResNet", 50), (world.Model, world.LogitScale));
        Assert.Equal((16, 4, 10), (world.A.Train.Count, world.A.Validation.Count, world.A.Test.Count));
        Assert.Equal(["cat", "dog"], world.A.Classes);
        Assert.True(world.A.Train.Features.IsUnitNorm());
        Assert.Equal(["cat", "dog"], world.Large.Classes);
        Assert.Equal((4, 8), (world.OodValidation["textures"].Count, world.Ood["textures"].Count));
        Assert.Equal(0, world.Text("words").Count);
        Assert.False(world.HasEncoder);
        Bench bench = world.Bench("A");
        Assert.Equal(10, bench.Score(DetectorCatalog.Of("mcm"), "near").Id.Count);
        Assert.Equal(world.A.Train.Labels, World.OpenFeatures(_folder.Path, seed: 3).A.Train.Labels);
        Assert.Contains("words", DetectorCatalog.Of("neglabel").Missing(bench.Known), StringComparison.Ordinal);
    }

    [Fact]
    public void FeatureSetsOfThisLibrary_AndWords_AreReadToo()
    {
        WriteAll();
        FeatureSet set = new("Birds", "test", Rows(6, 9), [0, 1, 1, 0, 1, 0], ["owl", "wren"], "here");
        Directory.CreateDirectory(_folder.PathOf("B"));
        set.Save(_folder.PathOf("B/test.safetensors"));
        Npy("B/text.npy", Rows(2, 10));
        Directory.CreateDirectory(_folder.PathOf("words"));
        Npy("words/text.npy", Rows(3, 11));
        File.WriteAllLines(_folder.PathOf("words/classes.txt"), ["cloud", "cat", "stone"]);

        World world = World.OpenFeatures(_folder.Path);

        Assert.Equal(("Birds", false), (world.B.Name, world.B.HasTrain));
        Assert.Equal(4, world.Large.NumClasses);
        Assert.False(world.Large.HasTrain);
        Assert.Equal(["cloud", "stone"], world.Bench("A").Known.Words.Classes);
    }

    [Theory]
    [InlineData("A/test.npy", "has no test.npy or test.safetensors")]
    [InlineData("A/text.npy", "has no text.npy or text.safetensors with a row for each of its 2 classes")]
    public void AFileThatIsMissing_IsNamed(string file, string says)
    {
        WriteAll();
        File.Delete(_folder.PathOf(file));

        Assert.Contains(says, Assert.Throws<InvalidDataException>(() => World.OpenFeatures(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatDoesNotFit_IsNamed()
    {
        WriteAll();
        Assert.Contains("lacks the folders A, near, textures", Assert.Throws<WorldNotFoundException>(() => World.OpenFeatures(_folder.PathOf("nowhere"))).Message, StringComparison.Ordinal);

        Npy("A/text.npy", Rows(3, 1));
        Assert.Contains("has 3 rows, expected one for each of the 2 classes", Message(), StringComparison.Ordinal);

        Npy("A/text.npy", Embeddings.FromRows([1, 0], [0, 1]));
        Assert.Contains("features are 8 and 2 wide", Message(), StringComparison.Ordinal);

        WriteAll();
        NpyInts("A/test-labels.npy", [.. Enumerable.Range(0, 10)]);
        Assert.Contains("label 2 of row 2 is out of range", Message(), StringComparison.Ordinal);

        WriteAll();
        File.WriteAllText(_folder.PathOf("world.json"), """{ "modle": "x" }""");
        Assert.Contains("modle", Message(), StringComparison.Ordinal);

        string Message() => Assert.Throws<InvalidDataException>(() => World.OpenFeatures(_folder.Path)).Message;
    }

    private void WriteAll()
    {
        foreach (string role in new[] { "A", "near", "textures" })
        {
            Directory.CreateDirectory(_folder.PathOf(role));
        }

        Npy("A/train.npy", Rows(20, 1));
        NpyInts("A/train-labels.npy", [.. Enumerable.Range(0, 20).Select(i => i % 2)]);
        Npy("A/test.npy", Rows(10, 2));
        NpyInts("A/test-labels.npy", [.. Enumerable.Range(0, 10).Select(i => i % 2)]);
        Npy("A/text.npy", Rows(2, 3));
        File.WriteAllLines(_folder.PathOf("A/classes.txt"), ["cat", "dog"]);
        Npy("near/test.npy", Rows(12, 4));
        Npy("textures/test.npy", Rows(12, 5));
    }

    // Of any length, as other programs leave them.
    private static Embeddings Rows(int count, int seed)
    {
        Random random = new(seed);
        Embeddings rows = new(count, Width, Enumerable.Range(0, count * Width).Select(_ => (float)((random.NextDouble() - 0.5) * 7)).ToArray());
        return seed == 9 ? rows.Normalized() : rows;
    }

    private void Npy(string name, Embeddings rows) => Write(name, "<f4", $"({rows.Rows}, {rows.Width})", MemoryMarshal.AsBytes(rows.Values));

    private void NpyInts(string name, long[] labels) => Write(name, "<i8", $"({labels.Length},)", MemoryMarshal.AsBytes<long>(labels));

    private void Write(string name, string type, string shape, ReadOnlySpan<byte> data)
    {
        string header = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}").PadRight(117) + "\n";
        File.WriteAllBytes(_folder.PathOf(name), [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.Latin1.GetBytes(header), .. data]);
    }
}
