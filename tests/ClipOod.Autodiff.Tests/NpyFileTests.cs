using System.Text;

namespace ClipOod.Autodiff.Tests;

public sealed class NpyFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AnArray_IsReadAsItWasSaved(byte version)
    {
        SafetensorsTensor tensor = NpyFile.Read(Write(version, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", [.. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]));
        Assert.Equal([1, 2], tensor.Shape);
        Assert.Equal([1.5f, -2f], tensor.ToSingles());
    }

    [Theory]
    [InlineData("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", 8, null)]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", 1, null)]
    [InlineData("{'descr': '<f2', 'fortran_order': False, 'shape': (0, 512), }", 0, null)]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", 8, "fortran_order False")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, "holds >f4")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 8, "holds |O")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8, "holds 8 bytes of data, expected those of the shape (3)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 0), }", 0, "expected those of the shape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536, 65536, 65536, 0), }", 0, "expected those of the shape")]
    [InlineData("{}", 0, "has the header {}")]
    public void AnotherHeader_IsReadOrRefusedWithItsReason(string header, int bytes, string? reason)
    {
        string path = Write(1, header, new byte[bytes]);
        if (reason is null)
        {
            Assert.Equal(bytes, NpyFile.Read(path).ByteCount);
        }
        else
        {
            string message = Assert.Throws<InvalidDataException>(() => NpyFile.Read(path)).Message;
            Assert.StartsWith($"{path}: ", message, StringComparison.Ordinal);
            Assert.Contains(reason, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ATruncatedFile_IsRefusedAtEveryLength()
    {
        byte[] whole = File.ReadAllBytes(Write(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", new byte[8]));
        for (int length = 0; length < whole.Length; length++)
        {
            string path = _folder.Write("short.npy", whole[..length]);
            Assert.Throws<InvalidDataException>(() => NpyFile.Read(path));
        }
    }

    private string Write(byte version, string header, byte[] data)
    {
        byte[] text = Encoding.ASCII.GetBytes($"{header}\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return _folder.Write("x.npy", [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data]);
    }
}
