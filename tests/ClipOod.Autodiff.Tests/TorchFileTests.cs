using System.IO.Compression;
using System.Text;

namespace ClipOod.Autodiff.Tests;

/// <summary>Reads what PyTorch wrote: tests/torch/make.py says what is in the files.</summary>
public sealed class TorchFileTests : IDisposable
{
    private static readonly float[] _base = [.. Enumerable.Range(0, 12).Select(i => (float)i)];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Readable =>
        ["types.pt", "types-legacy.pt", "single.pt", "single-legacy.pt", "state.pt", "features.pkl", "clipn.pt", "openai.pt", "openai-state.pth", "huggingface/pytorch_model.bin"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("types.pt")]
    [InlineData("types-legacy.pt")]
    public void EveryTypeShapeAndView_IsReadAsItWasSaved(string name)
    {
        using TorchFile file = TorchFile.Open(Committed(name));
        Assert.Equal(
            ["bf16", "bool", "column", "empty", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "nested.7", "nested.list.0", "nested.list.1.0", "parameter", "row", "scalar",
                "transposed", "u8", "whole"],
            file.Names);
        float[] numbers = [-3, 0, 2, 5, -7, 100];
        foreach ((string key, SafetensorsType type) in new[] { ("bf16", SafetensorsType.BF16), ("f16", SafetensorsType.F16), ("f32", SafetensorsType.F32), ("f64", SafetensorsType.F64) })
        {
            Assert.Equal(type, file[key].DType);
            Assert.Equal([2, 3], file[key].Shape);
            Assert.Equal(numbers, file[key].ToSingles());
            Assert.Equal(numbers, file[key].AsSingles().ToArray());
        }

        Assert.Equal([-3L, 0, 2, 5, -7, 100], file["i64"].ToInt64s());
        Assert.All(["i32", "i16", "i8"], key => Assert.Equal([-3, 0, 2, 5, -7, 100], file[key].ToInt32s()));
        Assert.Equal([0, 200, 255], file["u8"].ToBytes());
        Assert.Equal([1, 0], file["bool"].ToBytes());
        Assert.Equal([0.5f], file["scalar"].ToSingles());
        Assert.Empty(file["scalar"].Shape);
        Assert.Equal([0, 4], file["empty"].Shape);
        Assert.Empty(file["empty"].ToSingles());
        Assert.Equal(_base, file["whole"].ToSingles());
        Assert.Equal(_base[4..8], file["row"].ToSingles());
        Assert.Equal([4, 3], file["transposed"].Shape);
        Assert.Equal([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], file["transposed"].ToSingles());
        Assert.Equal([0f, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], file["transposed"].AsSingles().ToArray());
        Assert.Equal([2f, 6, 10], file["column"].ToSingles());
        Assert.Equal([1.5f], file["parameter"].ToSingles());
        Assert.Equal([3f], file["nested.7"].ToSingles());
    }

    [Theory]
    [InlineData("single.pt", TorchFile.SingleName)]
    [InlineData("single-legacy.pt", TorchFile.SingleName)]
    [InlineData("features.pkl", "features")]
    public void OneTensor_HasItsName(string name, string tensor)
    {
        using TorchFile file = TorchFile.Open(Committed(name));
        Assert.Equal([tensor], file.Names);
        Assert.Equal(SafetensorsType.F16, file[tensor].DType);
        Assert.Equal([3, 4], file[tensor].Shape);
        Assert.Equal(_base, file[tensor].ToSingles());
        Assert.Contains($"has no tensor 'x', it has: {tensor}.", Assert.Throws<InvalidDataException>(() => file["x"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextsBesideATensor_AreReadInTheirOrder()
    {
        using TorchFile file = TorchFile.Open(Committed("features.pkl"));
        Assert.Equal(["cat", "dog", "cat"], file.TextsOf("labels"));
        Assert.Contains("has no texts 'features'", Assert.Throws<InvalidDataException>(() => file.TextsOf("features")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AStateDictionary_IsReadPastItsMetadata()
    {
        using TorchFile file = TorchFile.Open(Committed("state.pt"));
        Assert.Equal(["bias", "weight"], file.Names);
        Assert.Equal([3, 2], file["weight"].Shape);
    }

    [Fact]
    public void ATorchScriptArchive_GivesItsAttributesByTheirPath()
    {
        using TorchFile file = TorchFile.Open(Committed("openai.pt"));
        Assert.Contains("visual.transformer.resblocks.0.attn.in_proj_weight", file.Names);
        Assert.Equal([8L], file["input_resolution"].ToInt64s());
        Assert.Equal(SafetensorsType.F16, file["visual.proj"].DType);
    }

    [Theory]
    [InlineData("hostile.pt", "asks for 'posix.system'")]
    [InlineData("hostile-legacy.pt", "asks for 'posix.system'")]
    [InlineData("protocol4.pt", "is of pickle protocol 4, expected 2")]
    [InlineData("complex.pt", "tensor 'a' of complex64")]
    [InlineData("expanded.pt", "shape [1000], strides [0] and offset 0 in a storage of 1 elements")]
    public void WhatIsNotKnown_IsRefusedByName(string name, string reason) => Assert.Contains(reason, Refusal(Committed(name)), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "begins with nothing")]
    [InlineData("<!DOCTYPE html>", "begins with 3C21444F43545950, expected a zip file")]
    [InlineData("PK\u0003\u0004", "no directory at its end")]
    [InlineData("\u0002", "begins with 02")]
    public void OtherFiles_AreRefused(string content, string reason) => Assert.Contains(reason, Refusal(_folder.Write("x.pt", Encoding.Latin1.GetBytes(content))), StringComparison.Ordinal);

    [Fact]
    public void AMissingFile_IsNamed() =>
        Assert.Contains("'no/such.pt'", Assert.Throws<FileNotFoundException>(() => TorchFile.Open("no/such.pt")).Message, StringComparison.Ordinal);

    [Fact]
    public void ATarOfTheOldestFormat_SaysHowToConvertIt()
    {
        byte[] tar = new byte[512];
        "storages"u8.CopyTo(tar);
        "ustar"u8.CopyTo(tar.AsSpan(257));
        Assert.Contains("before 0.1.10", Refusal(_folder.Write("x.pt", tar)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("]", ".", "no tensor", false)]
    [InlineData("cbuiltins\neval\n", ".", "asks for 'builtins.eval'", true)]
    [InlineData("c__torch__x\ny\n", ".", "asks for '__torch__x.y'", true)]
    [InlineData("i", ".", "has the opcode 0x69", true)]
    [InlineData("N", "N.", "values left over", true)]
    [InlineData("(", ".", "an empty stack", true)]
    [InlineData("t", ".", "was not begun", true)]
    [InlineData("h\u0001", ".", "refers to value 1", true)]
    [InlineData("}NNs", ".", "has None as a key", true)]
    [InlineData("]Na(NNNu", ".", "has a list where a dictionary", true)]
    [InlineData("}(Nu", ".", "a key without a value", true)]
    [InlineData("NNb", ".", "sets the state of something", true)]
    [InlineData("ctorch\nSize\n(K\u0001K\u0002tR", ".", "calls torch.Size with 2 arguments", true)]
    [InlineData("ctorch\nSize\n)\u0081", ".", "makes an object of torch.Size", true)]
    [InlineData("X\u00FF\u00FF\u00FF\u00FF", ".", "has a text of 4294967295 bytes", true)]
    [InlineData("K", "", "file is truncated", true)]
    public void APickleOfOnesOwn_IsReadOrRefusedWithItsReason(string opcodes, string stop, string reason, bool isRefused)
    {
        byte[] pickle = Encoding.Latin1.GetBytes($"\u0080\u0004{opcodes}{stop}");
        string path = _folder.Write("x.pkl", pickle);
        if (isRefused)
        {
            Assert.Contains(reason, Refusal(path), StringComparison.Ordinal);
        }
        else
        {
            using TorchFile file = TorchFile.Open(path);
            Assert.Empty(file.Names);
        }
    }

    [Fact]
    public void AListWithinItself_IsRefused() =>
        Assert.Contains("nests deeper than 64", Refusal(_folder.Write("x.pkl", [0x80, 4, .. "]q\u0001(h\u0001h\u0001e."u8])), StringComparison.Ordinal);

    [Theory]
    [InlineData("little", new byte[] { 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0 })]
    [InlineData("big", new byte[] { 0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0 })]
    public void TheOrderOfBytes_IsTheOneThatTheFileStates(string order, byte[] data)
    {
        using TorchFile file = TorchFile.Open(Zip(("a/data.pkl", TwoSingles()), ("a/byteorder", Encoding.ASCII.GetBytes(order)), ("a/data/0", data)));
        Assert.Equal([1f, -2f], file[TorchFile.SingleName].ToSingles());
        Assert.Equal([1f, -2f], file[TorchFile.SingleName].AsSingles().ToArray());
    }

    [Theory]
    [InlineData("a/data/1", 8, "no record 'data/0'")]
    [InlineData("a/data/0", 7, "has 7 bytes for the storage '0', expected 2 elements of 4")]
    [InlineData("b/data/0", 8, "has 2 top folders, expected one")]
    [InlineData("a/../data/0", 8, "outside of its folder")]
    [InlineData("a/data.pkl", 8, "twice")]
    public void ARecordOutOfPlace_IsRefused(string name, int length, string reason) =>
        Assert.Contains(reason, Refusal(Zip(("a/data.pkl", TwoSingles()), (name, new byte[length]))), StringComparison.Ordinal);

    [Fact]
    public void AZipFileOfSomethingElse_IsRefused() => Assert.Contains("no record 'data.pkl'", Refusal(Zip(("a/readme", [1]))), StringComparison.Ordinal);

    [Fact]
    public void ACompressedRecord_IsRefused()
    {
        string path = _folder.PathOf("x.pt");
        using (ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            using Stream stream = archive.CreateEntry("a/data.pkl", CompressionLevel.Optimal).Open();
            stream.Write(new byte[1000]);
        }

        Assert.Contains("'data.pkl' compressed or encrypted", Refusal(path), StringComparison.Ordinal);
    }

    [Fact]
    public void RecordsOverEachOther_AreRefused()
    {
        byte[] bytes = File.ReadAllBytes(Zip(("a/data.pkl", TwoSingles()), ("a/data/0", new byte[8])));

        // The second record's place in the directory, moved to the first's.
        int second = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        bytes.AsSpan(second + 42, 4).Clear();
        Assert.Contains("within another one", Refusal(_folder.Write("x.pt", bytes)), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Readable))]
    public void ATruncatedFile_IsRefusedAtEveryLength(string name)
    {
        byte[] whole = File.ReadAllBytes(Committed(name));
        for (int length = 0; length < whole.Length; length += 1 + (whole.Length / 150))
        {
            Assert.StartsWith(_folder.PathOf("x.pt"), Refusal(_folder.Write("x.pt", whole[..length])), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AChangedFile_IsReadOrRefusedWithOneKindOfException()
    {
        (int read, int refused) = Fuzz(seed: 1, count: 4000);

        // Both happen often: changes of values are read, those of structure refused.
        Assert.InRange(read, 200, 3800);
        Assert.Equal(4000, read + refused);
    }

    [Fact]
    public void ATensorOfAClosedFile_Throws()
    {
        TorchFile file = TorchFile.Open(Committed("types.pt"));
        (SafetensorsTensor plain, SafetensorsTensor arranged) = (file["whole"], file["transposed"]);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => plain.ToSingles());
        Assert.Throws<ObjectDisposedException>(() => arranged.ToSingles());
    }

    /// <summary>data.pkl of a tensor of two single-precision numbers.</summary>
    private static byte[] TwoSingles() => Encoding.Latin1.GetBytes(
        "\u0080\u0002ctorch._utils\n_rebuild_tensor_v2\n((U\u0007storagectorch\nFloatStorage\nU\u00010U\u0003cpuK\u0002tQK\u0000K\u0002\u0085K\u0001\u0085\u0089ccollections\nOrderedDict\n)RtR.");

    private string Zip(params (string Name, byte[] Bytes)[] records)
    {
        string path = _folder.PathOf("x.pt");
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string name, byte[] bytes) in records)
        {
            using Stream stream = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }

        return path;
    }

    private static string Committed(string name) => Path.Combine(Repository.Root, "tests", "torch", name);

    private static string Refusal(string path)
    {
        string message = Assert.Throws<InvalidDataException>(() => TorchFile.Open(path)).Message;
        Assert.StartsWith($"{path}: ", message, StringComparison.Ordinal);
        return message;
    }

    /// <summary>Changes the small files in a few places each and reads all tensors; whatever else is thrown than InvalidDataException fails the test.</summary>
    private (int Read, int Refused) Fuzz(int seed, int count)
    {
        byte[][] files = [.. Readable.Select(row => File.ReadAllBytes(Committed(row.Data))).Where(bytes => bytes.Length < 6000)];
        Random random = new(seed);
        string path = _folder.PathOf("x.pt");
        int read = 0;
        for (int i = 0; i < count; i++)
        {
            File.WriteAllBytes(path, Mutator.Change(files[random.Next(files.Length)], random, files[random.Next(files.Length)]));
            try
            {
                using TorchFile file = TorchFile.Open(path);
                long sum = 0;
                foreach (string name in file.Names)
                {
                    foreach (byte value in file[name].Bytes)
                    {
                        sum += value;
                    }
                }

                Assert.True(sum >= 0);
                read++;
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith($"{path}: ", error.Message, StringComparison.Ordinal);
            }
        }

        return (read, count - read);
    }
}
