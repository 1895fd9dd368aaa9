namespace ClipOod.Notebook.Tests;

/// <summary>One class, so that its tests run one after another: the host's hooks belong to the process.</summary>
public sealed class HostingTests : IDisposable
{
    public void Dispose()
    {
        AppDomain.CurrentDomain.SetData(Expect.HostKey, null);
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, null);
        AppDomain.CurrentDomain.SetData(Parameter.DeclarationKey, null);
    }

    [Fact]
    public void Number_WithoutHost_OnlyReturnsTheDeclaration() =>
        Assert.Equal("Result without host: 0.5", Expect.Number("without host", 0.5, 0.01).ToString());

    [Fact]
    public void Results_WithHost_AreToldAsTheyAreRecorded()
    {
        List<string> told = [];
        AppDomain.CurrentDomain.SetData(Expect.HostKey, (Action<string>)told.Add);
        Assert.Equal("Result with host: 2 (checked to ±0)", Expect.Number("with host", 2, 0).ToString());
        Expect.Metric("mcm", "A", "near", Metric.Fpr95(FprConvention.Interp), 0, 0.25, 0.01);
        Expect.Metric("mcm", "A", null, Metric.Accuracy, 1, 0.5, 0.02);
        Expect.Verdict("gain", Verdict.Judge("It gains.", new Interval(0.25, 0.75, 0.5), 100, margin: 0.125));
        Expect.Verdict("nothing", Verdict.CannotBeTold("It gains.", "there are no images"));
        Assert.Equal(
            [
                """{"name":"with host","value":2,"tolerance":0}""",
                """{"detector":"mcm","id":"A","ood":"near","metric":"fpr95-interp","seed":0,"value":0.25,"tolerance":0.01}""",
                """{"detector":"mcm","id":"A","ood":null,"metric":"accuracy","seed":1,"value":0.5,"tolerance":0.02}""",
                """{"verdict":"gain","word":"holds","estimate":0.5,"low":0.25,"high":0.75,"n":100,"margin":0.125,"source":null,"tolerance":0.041666666666666664}""",
                """{"verdict":"nothing","word":"cannot be told here","estimate":null,"low":null,"high":null,"n":null,"margin":null,"source":null,"tolerance":0}""",
            ],
            told);
    }

    [Fact]
    public void Metric_OfPairs_AsksForTheOodSet_AndAnotherRefusesIt()
    {
        Assert.Throws<ArgumentException>("ood", () => Expect.Metric("mcm", "A", null, Metric.Auroc, 0, 0.5, 0));
        Assert.Throws<ArgumentException>("ood", () => Expect.Metric("mcm", "A", "near", Metric.Accuracy, 0, 0.5, 0));
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
    public void Results_DeclaredAgainWithoutHost_ReplaceTheOneBefore()
    {
        Assert.Equal("Result twice: 1", Expect.Number("twice", 1, 0).ToString());
        Assert.Equal("Result twice: 1", Expect.Number("twice", 1, 0).ToString());
        Assert.Equal("Result twice: 2, 1 before", Expect.Number("twice", 2, 0).ToString());
        Assert.Equal("Result twice: 2", Expect.Number("twice", 2, 0).ToString());
    }

    [Fact]
    public void WhatTheHostRefuses_IsNotDeclared()
    {
        AppDomain.CurrentDomain.SetData(Expect.HostKey, (Action<string>)(_ => throw new InvalidOperationException("two values")));
        Assert.Throws<InvalidOperationException>(() => Expect.Number("refused", 1, 0));
        AppDomain.CurrentDomain.SetData(Expect.HostKey, null);
        Assert.Equal("Result refused: 2", Expect.Number("refused", 2, 0).ToString());
    }

    [Fact]
    public void ToHtml_EscapesTheName() =>
        Assert.Contains(">Result &lt;b&gt;: 1 (checked to &#177;0)</p>", new Expectation("<b>", "1", 0) { IsChecked = true }.ToHtml(), StringComparison.Ordinal);

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

    [Theory]
    [InlineData("0.05", true)]
    [InlineData("0.5", true)]
    [InlineData("0", false)]
    [InlineData("-1", false)]
    [InlineData("1e300", false)]
    [InlineData("NaN", false)]
    [InlineData("Infinity", false)]
    [InlineData("some", false)]
    [InlineData("", false)]
    public void Get_WithBounds_TakesWhatTheMethodWorksWith(string text, bool isTaken)
    {
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, (string _) => (string?)text);
        double Get() => Parameter.Get("price", 0.1, 0.01, 0.5, "share of ID images that may be flagged");
        if (isTaken)
        {
            Assert.Equal(double.Parse(text, null), Get());
        }
        else
        {
            Assert.Equal($"Parameter 'price' is '{text}', expected a number from 0.01 to 0.5 such as 0.1: --param price=0.1", Assert.Throws<FormatException>(() => Get()).Message);
        }
    }

    [Fact]
    public void Get_OfChoices_TakesOneOfThem()
    {
        AppDomain.CurrentDomain.SetData(Parameter.HostKey, (string _) => (string?)"far");
        Assert.Equal("far", Parameter.Get("ood", "near", ["near", "far"], "the OOD set"));
        Assert.Equal(
            "Parameter 'ood' is 'far', expected one of near, textures such as near: --param ood=near",
            Assert.Throws<FormatException>(() => Parameter.Get("ood", "near", ["near", "textures"], "the OOD set")).Message);
    }

    [Fact]
    public void Get_WithADefaultThatIsNotAllowed_Throws()
    {
        Assert.Throws<ArgumentException>("defaultValue", () => Parameter.Get("k", 0, 1, 5, "a count"));
        Assert.Throws<ArgumentException>("defaultValue", () => Parameter.Get("ood", "far", ["near"], "a set"));
    }

    [Fact]
    public void Get_OfEveryKind_TellsTheHostWhatIsAllowed()
    {
        List<string> told = [];
        AppDomain.CurrentDomain.SetData(Parameter.DeclarationKey, (Action<string>)told.Add);
        Parameter.Get("a", 5);
        Parameter.Get("b", "x", "a name");
        Parameter.Get("c", 2, 1, 9, "a count");
        Parameter.Get("d", "x", ["x", "y"], "a choice");
        Assert.Equal(
            [
                """{"name":"a","default":"5","allowed":"a value of type Int32","help":""}""",
                """{"name":"b","default":"x","allowed":"any text","help":"a name"}""",
                """{"name":"c","default":"2","allowed":"a number from 1 to 9","help":"a count"}""",
                """{"name":"d","default":"x","allowed":"one of x, y","help":"a choice"}""",
            ],
            told);
    }
}
