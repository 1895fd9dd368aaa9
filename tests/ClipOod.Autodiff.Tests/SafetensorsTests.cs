using System.Buffers.Binary;
using System.Text;
using CsCheck;

namespace ClipOod.Autodiff.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.PathOf("x.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WrittenTensors_AreReadBackAsTheyWere()
    {
        Safetensors.Write(
            FilePath,
            [
                SafetensorsTensor.FromBytes("bytes", [3], [1, 2, 255]),
                SafetensorsTensor.FromInt64s("longs", [2, 1], [long.MinValue, 5]),
                SafetensorsTensor.FromInt32s("ints", [], [-7]),
                SafetensorsTensor.FromSingles("singles", [1, 2], [0.1f, float.NaN]),
                SafetensorsTensor.FromSinglesAsHalf("halves", [2], [0.5f, -65504f]),
                SafetensorsTensor.FromSinglesAsBFloat16("brains", [4], [1.5f, -3.0078125f, float.NaN, float.PositiveInfinity]),
                SafetensorsTensor.FromDoubles("doubles", [2], [0.1, 1e300]),
                SafetensorsTensor.FromSingles("none", [0, 512], []),
            ],
            new Dictionary<string, string> { ["dataset"] = "Überraschung \"1\"", ["a"] = "" });

        using SafetensorsFile file = Safetensors.Open(FilePath);
        Assert.Equal(["brains", "bytes", "doubles", "halves", "ints", "longs", "none", "singles"], file.Names);
        Assert.Equal([1, 2, 255], file["bytes"].ToBytes());
        Assert.Equal([1, 2, 255], file["bytes"].ToInt32s());
        Assert.Equal([long.MinValue, 5], file["longs"].ToInt64s());
        Assert.Equal([2, 1], file["longs"].Shape);
        Assert.Equal([-7], file["ints"].ToInt32s());
        Assert.Empty(file["ints"].Shape);
        Assert.Equal([0.1f, float.NaN], file["singles"].ToSingles());
        Assert.Equal([0.5f, -65504f], file["halves"].ToSingles());
        Assert.Empty(file["none"].ToSingles());
        Assert.Equal([1.5f, -3f, float.NaN, float.PositiveInfinity], file["brains"].ToSingles());
        Assert.Equal([0.1, 1e300], file["doubles"].ToDoubles());
        Assert.Equal([0.1f, float.PositiveInfinity], file["doubles"].ToSingles());
        Assert.Equal([0.1f, float.NaN], file["singles"].AsSingles().ToArray());
        Assert.Equal([0.5f, -65504f], file["halves"].AsSingles().ToArray());
        Assert.Equal("Überraschung \"1\"", file.Metadata["dataset"]);
        Assert.Equal(SafetensorsType.F16, file["halves"].DType);
    }

    [Fact]
    public void AnyTensors_SurviveWritingAndReading() =>
        Gen.Select(Gen.Single.Array[0, 20], Gen.Int.Array[0, 20], Gen.Byte.Array[0, 20]).Sample((singles, ints, bytes) =>
        {
            Safetensors.Write(FilePath,
            [
                SafetensorsTensor.FromBytes("a", [bytes.Length], bytes),
                SafetensorsTensor.FromInt32s("b", [ints.Length], ints),
                SafetensorsTensor.FromSingles("c", [singles.Length], singles),
            ]);
            using SafetensorsFile file = Safetensors.Open(FilePath);
            Assert.Equal(bytes, file["a"].ToBytes());
            Assert.Equal(ints, file["b"].ToInt32s());
            Assert.Equal(singles, file["c"].ToSingles());
        }, iter: 30, threads: 1);

    [Fact]
    public void ATruncatedFile_IsRefusedAtEveryLength()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromSingles("x", [2, 2], [1, 2, 3, 4])]);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            InvalidDataException error = Assert.Throws<InvalidDataException>(() => Safetensors.Open(FilePath));
            Assert.StartsWith($"{FilePath}: ", error.Message, StringComparison.Ordinal);
            Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AnyBytes_AreReadOrRefused_ButNeverCrash() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        // A short header length gets the random bytes past the first check.
        byte[] content = [.. Prefix((ulong)(bytes.Length / 2)), .. bytes];
        File.WriteAllBytes(FilePath, content);
        Assert.Throws<InvalidDataException>(() => Safetensors.Open(FilePath));
    }, iter: 200, threads: 1);

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1_000_000UL)]
    [InlineData(long.MaxValue)]
    public void AHeaderLengthBeyondTheFile_IsRefused(ulong length)
    {
        File.WriteAllBytes(FilePath, [.. Prefix(length), .. "{}"u8]);
        Assert.Contains($"its header has {length} bytes, expected at most 2", ErrorOfOpening(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0, "not valid JSON")]
    [InlineData("{\"a\":", 0, "not valid JSON")]
    [InlineData("[]", 0, "has Array as the header, expected Object")]
    [InlineData("{\"a\":1}", 0, "has Number as tensor 'a', expected Object")]
    [InlineData("{\"__metadata__\":{\"k\":1}}", 0, "metadata 'k', expected String")]
    [InlineData("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "has no dtype for tensor 'a'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "has no shape for tensor 'a'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "has no data_offsets for tensor 'a'")]
    [InlineData("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype 'F8_E4M3', expected one of BF16, F16, F32, F64, I32, I64, U8")]
    [InlineData("{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype 'f32'")]
    [InlineData("{\"a\":{\"dtype\":\"1\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype '1'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "has -1 in the shape of tensor 'a'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "has 1.5 in the shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", 4, "has \"1\" in the shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}", 4, "in the shape of tensor 'a', expected whole numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647,2147483647],\"data_offsets\":[0,4]}}", 4, "beyond what a file can hold")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[65536,65536,65536,65536,0],\"data_offsets\":[0,0]}}", 0, "beyond what a file can hold")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "beyond what a file can hold")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "data_offsets [0, 4, 8]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "data_offsets [4, 0]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "has -4 in the data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "end <= 4")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "gives tensor 'a' 4 bytes, expected 8 for F32 of shape [2]")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 4, "holds 4 bytes of data, expected the 2")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", 4, "expected byte 0: there is a gap before it")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}}", 4, "'b' at byte 1 of the data, expected byte 2: it overlaps")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}", 3, "'b' at byte 2 of the data, expected byte 1: there is a gap")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "without repeated names")]
    public void ALyingHeader_IsRefusedWithItsFileAndReason(string header, int dataLength, string reason)
    {
        WriteRaw(header, dataLength);
        string message = ErrorOfOpening();
        Assert.StartsWith($"{FilePath}: ", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingFile_IsNamed()
    {
        FileNotFoundException error = Assert.Throws<FileNotFoundException>(() => Safetensors.Open("no/such.safetensors"));
        Assert.Contains("'no/such.safetensors'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownTensor_IsAnsweredWithTheNamesThereAre()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromBytes("b", [0], []), SafetensorsTensor.FromBytes("a", [0], [])]);
        using SafetensorsFile file = Safetensors.Open(FilePath);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => file["c"]);
        Assert.Equal($"{FilePath}: has no tensor 'c', it has: a, b.", error.Message);
    }

    [Fact]
    public void ATensorOfAnotherType_SaysWhatItHolds()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromInt64s("labels", [1], [1L << 40])]);
        using SafetensorsFile file = Safetensors.Open(FilePath);
        Assert.Contains("tensor 'labels' holds I64 elements, expected BF16, F16, F32 or F64",
            Assert.Throws<InvalidDataException>(() => file["labels"].ToSingles()).Message, StringComparison.Ordinal);
        Assert.Contains("element 0 is 1099511627776",
            Assert.Throws<InvalidDataException>(() => file["labels"].ToInt32s()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATensorOfAClosedFile_Throws()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromBytes("a", [1], [1])]);
        SafetensorsFile file = Safetensors.Open(FilePath);
        SafetensorsTensor tensor = file["a"];
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ToBytes());
    }

    [Fact]
    public void Write_WhenItFails_LeavesTheOldFileAndNoOther()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromBytes("a", [1], [1])]);
        byte[] old = File.ReadAllBytes(FilePath);
        string other = _folder.PathOf("other.safetensors");
        Safetensors.Write(other, [SafetensorsTensor.FromBytes("b", [1], [1])]);
        SafetensorsFile file = Safetensors.Open(other);
        SafetensorsTensor closed = file["b"];
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => Safetensors.Write(FilePath, [closed]));
        Assert.Equal(old, File.ReadAllBytes(FilePath));
        Assert.Equal(["other.safetensors", "x.safetensors"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Write_WithARepeatedOrReservedName_Throws()
    {
        SafetensorsTensor tensor = SafetensorsTensor.FromBytes("a", [1], [1]);
        Assert.Throws<ArgumentException>(() => Safetensors.Write(FilePath, [tensor, tensor]));
        Assert.Throws<ArgumentException>(() => Safetensors.Write(FilePath, [SafetensorsTensor.FromBytes("__metadata__", [0], [])]));
        Assert.False(File.Exists(FilePath));
    }

    [Fact]
    public void ATensor_WhoseShapeDoesNotFit_Throws()
    {
        Assert.Throws<ArgumentException>(() => SafetensorsTensor.FromSingles("a", [2, 2], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => SafetensorsTensor.FromSingles("a", [-1, -1], [1]));
    }

    [Fact]
    public void TheData_StartAtAMultipleOfEightBytes()
    {
        Safetensors.Write(FilePath, [SafetensorsTensor.FromBytes("a", [1], [1])]);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(FilePath)) % 8);
    }

    private static byte[] Prefix(ulong length)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length);
        return prefix;
    }

    private void WriteRaw(string header, int dataLength)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(FilePath, [.. Prefix((ulong)bytes.Length), .. bytes, .. new byte[dataLength]]);
    }

    private string ErrorOfOpening() => Assert.Throws<InvalidDataException>(() => Safetensors.Open(FilePath)).Message;
}
