using System.Text;

namespace ClipOod.Autodiff.Tests;

/// <summary>Files of numpy 1.24 by np.save, and broken ones.</summary>
public sealed class NpyFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("f8", "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAADAAAAAAAAA8H8=", new[] { 3 }, new[] { 1.5, -2, double.PositiveInfinity })]
    [InlineData("big-endian f4 in Fortran's order", "k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMywgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/gAAAQEAAAECgAABAAAAAQIAAAEDAAAA=", new[] { 3, 2 }, new[] { 1.0, 2, 3, 4, 5, 6 })]
    [InlineData("f2", "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAOP97", new[] { 2 }, new[] { 0.5, 65504 })]
    [InlineData("version 3", "k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAcQA==", new[] { 1 }, new[] { 7.0 })]
    [InlineData("a number", "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAIQA==", new int[0], new[] { 3.0 })]
    public void Read_GivesWhatNumpySaved(string name, string base64, int[] shape, double[] values)
    {
        NpyFile file = NpyFile.Read(_folder.Write($"{name}.npy", Convert.FromBase64String(base64)));

        Assert.Equal(shape, file.Shape);
        Assert.Equal(values, file.Values);
    }

    [Theory]
    [InlineData("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", 8, "of dtype '<i8', expected float16, float32 or float64")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8, "of dtype '|O'")]
    [InlineData("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", 8, "of dtype [('a', '<f8')]")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", 8, "got 8 bytes of data, expected 16 for shape (2)")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647, 2147483647, 2147483647), }", 8, "got 8 bytes of data")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }", 8, "its shape is (99999999999,)")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", 8, "its shape is (-1,)")]
    [InlineData("{'descr': '<f8', 'shape': (1,), }", 8, "its header is broken")]
    public void Read_OfABrokenFile_SaysWhatIsExpected(string header, int bytes, string says)
    {
        byte[] text = Encoding.ASCII.GetBytes(header);
        string path = _folder.Write("a.npy", [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text, .. new byte[bytes]]);

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => NpyFile.Read(path));

        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfEveryBeginningOfAFile_ThrowsOneKindOfException()
    {
        byte[] whole = [0x93, .. "NUMPY"u8, 1, 0, 57, 0, .. "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"u8, .. new byte[8]];
        Assert.Equal([0.0], NpyFile.Read(_folder.Write("whole.npy", whole)).Values);
        Assert.All(Enumerable.Range(0, whole.Length), length =>
            Assert.Throws<InvalidDataException>(() => NpyFile.Read(_folder.Write("a.npy", whole[..length]))));
    }
}
