namespace ClipOod.Notebook.Tests;

/// <summary>One class, so that its tests run one after another: the host's hooks belong to the process.</summary>
public sealed class HostingTests : IDisposable
{
    public void Dispose()
    {
        AppDomain.CurrentDomain.SetData(Expect.HostKey, null);
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, null);
    }

    [Fact]
    public void Number_WithoutHost_OnlyReturnsTheDeclaration() =>
        Assert.Equal("Result without host: 0.5 (checked to ±0.01)", Expect.Number("without host", 0.5, 0.01).ToString());

    [Fact]
    public void Number_WithHost_TellsIt()
    {
        List<(string, double, double)> told = [];
        AppDomain.CurrentDomain.SetData(Expect.HostKey, (string name, double value, double tolerance) => told.Add((name, value, tolerance)));
        Expect.Number("with host", 2, 0);
        Assert.Equal([("with host", 2.0, 0.0)], told);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Number_ThatIsNotFinite_Throws(double value) =>
        Assert.Contains("expected a finite number", Assert.Throws<ArgumentException>(() => Expect.Number("x", value, 0)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Number_WithANonsenseTolerance_Throws(double tolerance) =>
        Assert.Contains("tolerance", Assert.Throws<ArgumentException>(() => Expect.Number("x", 1, tolerance)).Message, StringComparison.Ordinal);

    [Fact]
    public void Number_DeclaredTwice_MustBeTheSame()
    {
        Expect.Number("twice", 1, 0);
        Expect.Number("twice", 1, 0);
        ArgumentException error = Assert.Throws<ArgumentException>(() => Expect.Number("twice", 2, 0));
        Assert.Contains("'twice' is 2, but was declared as 1 before", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_EscapesTheName() =>
        Assert.Contains(">Result &lt;b&gt;: 1 (checked to &#177;0)</p>", new Expectation("<b>", 1, 0).ToHtml(), StringComparison.Ordinal);

    [Fact]
    public void Get_WithoutHost_OrWithoutThatParameter_IsTheDefault()
    {
        Assert.Equal(5, Parameter.Get("k", 5));
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, (string _) => (string?)null);
        Assert.Equal(5, Parameter.Get("k", 5));
    }

    [Fact]
    public void Get_ReadsTheTextGiven()
    {
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, (string name) => name switch { "k" => "7", "t" => "0.5", "b" => "true", _ => "text" });
        Assert.Equal(7, Parameter.Get("k", 5));
        Assert.Equal(0.5, Parameter.Get("t", 1.0));
        Assert.True(Parameter.Get("b", false));
        Assert.Equal("text", Parameter.Get("s", "none"));
    }

    [Fact]
    public void Get_OfTextOfAnotherType_SaysWhatIsExpected()
    {
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, (string _) => (string?)"seven");
        FormatException error = Assert.Throws<FormatException>(() => Parameter.Get("k", 5));
        Assert.Equal("Parameter 'k' is 'seven', expected a value of type Int32 such as 5: --param k=5", error.Message);
    }

    [Theory]
    [InlineData("0,5")]
    [InlineData("1,000.5")]
    public void Get_OfANumberWithAComma_IsRefused_NotReadWithoutIt(string text)
    {
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, (string _) => (string?)text);
        Assert.Throws<FormatException>(() => Parameter.Get("eps", 0.5));
        Assert.Throws<FormatException>(() => Parameter.Get("eps", 0.5f));
        Assert.Equal(text, Parameter.Get("name", "a"));
    }
}
