namespace ClipOod.Notebook.Tests;

public sealed class ExpectCloseTests
{
    [Fact]
    public void Close_WhenValuesAgree_SaysTheLargestDifference() =>
        Assert.Equal(
            "entropy: from scratch = library in 2 values, largest difference 5e-1.",
            Expect.Close("entropy", [1, 10], [1, 10.5], tolerance: 0.1).ToString());

    [Fact]
    public void Close_WhenOneValueIsOff_NamesIt()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Expect.Close("entropy", [1, 2], [1, 2.1]));
        Assert.Contains("entropy: value 1 of 2 is 2 from scratch and 2.1 from the library", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Close_WhenThereIsNothingToCompare_Throws(int count) =>
        Assert.Throws<ArgumentException>(() => Expect.Close("entropy", [], new double[count]));

    [Fact]
    public void Close_WhenAValueIsNaN_Throws() =>
        Assert.Throws<ArgumentException>(() => Expect.Close("entropy", double.NaN, 1));

    [Fact]
    public void Finding_WritesNumbersInvariantAndEscaped() =>
        Assert.Equal("<p class=\"finding\">1,234.5 &lt; 2</p>", new Finding($"{1234.5:N1} < {2}").ToHtml());
}
