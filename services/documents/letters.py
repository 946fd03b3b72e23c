"""What the first templates say, kind by kind; see `services.documents.templates`.

Words in braces are facts of the case, which `services.documents.facts` names and explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph in one of the styles."""

    style: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: relative widths, and rows of cells of paragraphs; short rows span to the end.

    With `has_header` its first row stands again on each page, and its columns fit what they hold.
    """

    widths: tuple[int, ...]
    rows: Sequence[Sequence[tuple[str, ...]]]
    at_bottom: bool = False
    has_header: bool = False
    row_height: int = 0


Block = Line | Table

_URGENCY = Line("紧急程度", "{{ case.urgency_mark }}")


def _head(flag: str, number: Line | None = None) -> tuple[Block, ...]:
    return (
        _URGENCY,
        Line("机关标志", flag),
        number or Line("发文字号", "{{ document.number }}"),
        Line("红线"),
    )


def _each(items: str, style: str = "正文首缩") -> tuple[Block, ...]:
    return (
        Line(style, f"{{%p for line in {items} %}}"),
        Line(style, "{{ line }}"),
        Line(style, "{%p endfor %}"),
    )


def _if(condition: str, *blocks: Block) -> tuple[Block, ...]:
    return (
        Line("正文首缩", f"{{%p if {condition} %}}"),
        *blocks,
        Line("正文首缩", "{%p endif %}"),
    )


def _foot(issuer: str = "{{ office.name }}") -> tuple[Block, ...]:
    return (
        Line("末段"),
        Line("末段"),
        Line("署名", issuer),
        Line("成文日期", "{{ document.date }}"),
    )


def _imprint(office: str = "{{ office.name }}") -> tuple[Block, ...]:
    copies = (("抄送：{{ document.copies|join('，') }}。",),)
    issued = ((office,), ("{{ document.date }}印发",))
    return (Table((3, 2), (copies, issued), at_bottom=True),)


_ATTACHMENTS = _if(
    "case.attachments",
    Line("正文首缩"),
    Line("附件说明", "附件：{{ case.attachments|join('；') }}"),
)

_OFFICE = "{{ office.flag }}"
_CO_UNITS = "{% if case.co_units %}，请{{ case.co_units|join('、') }}协助办理{% endif %}"

SUPERVISION_NOTICE: tuple[Block, ...] = (
    *_head(_OFFICE),
    Line("文件标题", "督办通知单"),
    Line("主送机关", "{{ unit.name }}："),
    Line(
        "正文首缩",
        "{% if case.issuer %}{{ case.issuer }}{% if case.source_number %}在{{ case.source_kind }}"
        "（{{ case.source_number }}）上{% else %}在{{ case.source_kind }}上{% endif %}"
        "作出批示。{% endif %}现将“{{ case.title }}”交由你单位办理" + _CO_UNITS + "。",
    ),
    Line("一级标题", "一、督办事项"),
    *_each("case.content"),
    Line("一级标题", "二、办理要求"),
    *_each("dispatch.report_content"),
    Line("正文首缩", "责任人：{{ dispatch.responsible_person }}。"),
    Line(
        "正文首缩",
        "请于{{ dispatch.deadline }}前书面反馈办理情况{{ dispatch.report_format }}，"
        "反馈材料须经单位主要负责人审签。不能按期办结的，应在期限届满前申请延期。",
    ),
    *_ATTACHMENTS,
    Line("末段", "事项编号：{{ case.number }}。"),
    *_foot(),
    *_imprint(),
)

INSPECTION_NOTICE: tuple[Block, ...] = (
    *_head(_OFFICE),
    Line("文件标题", "关于落实{{ case.issuer or case.source_kind }}议定事项的督查通知"),
    Line("主送机关", "{{ unit.name }}："),
    Line(
        "正文首缩",
        "{{ case.source_date }}，{{ case.issuer or case.source_kind }}研究了“{{ case.title }}”，"
        "现将议定事项交由你单位落实" + _CO_UNITS + "。",
    ),
    Line("一级标题", "一、议定事项"),
    *_each("case.content"),
    Line("一级标题", "二、落实要求"),
    *_each("dispatch.report_content"),
    Line("正文首缩", "责任人：{{ dispatch.responsible_person }}。"),
    Line(
        "正文首缩",
        "请于{{ dispatch.deadline }}前报送落实情况{{ dispatch.report_format }}，"
        "此后按{{ dispatch.rhythm }}报送进展，直至办结。",
    ),
    *_ATTACHMENTS,
    Line("末段", "事项编号：{{ case.number }}。"),
    *_foot(),
    *_imprint(),
)

TRANSFER_CARD: tuple[Block, ...] = (
    *_head(_OFFICE),
    Line("文件标题", "转　办　卡"),
    Line("正文首缩"),
    Table(
        (16, 34, 16, 34),
        (
            (("事项编号",), ("{{ case.number }}",), ("来　　源",), ("{{ case.source_kind }}",)),
            (
                ("来源文号",),
                ("{{ case.source_number }}",),
                ("日　　期",),
                ("{{ case.source_date }}",),
            ),
            (("标　　题",), ("{{ case.title }}",)),
            (("主要内容",), ("{%p for line in case.content %}", "{{ line }}", "{%p endfor %}")),
            (
                ("主办单位",),
                ("{{ unit.name }}",),
                ("责 任 人",),
                ("{{ dispatch.responsible_person }}",),
            ),
            (("协办单位",), ("{{ case.co_units|join('、') }}",)),
            (
                ("办理要求",),
                ("{%p for line in dispatch.report_content %}", "{{ line }}", "{%p endfor %}"),
            ),
            (("办理期限",), ("请于{{ dispatch.deadline }}前反馈{{ dispatch.report_format }}。",)),
            (("交办机关",), ("{{ office.name }}　　（盖章）", "{{ document.date }}")),
        ),
        row_height=560,
    ),
)

REMINDER: tuple[Block, ...] = (
    *_head(_OFFICE),
    Line("文件标题", "催　办　单"),
    Line("主送机关", "{{ unit.name }}："),
    Line(
        "正文首缩",
        "你单位承办的“{{ case.title }}”（{{ case.number }}），办理期限为{{ case.deadline }}，"
        "{% if case.overdue %}现已逾期{% else %}期限将至{% endif %}，至今未报送办理结果。",
    ),
    *_each("urge.text"),
    Line(
        "末段",
        "请抓紧办理，并立即将办理情况报我室。不能按期办结的，应在期限届满前说明理由并申请延期。",
    ),
    *_foot(),
)

_ITEMS: tuple[Block, ...] = (
    Line("正文首缩", "{%p for item in urge.items %}"),
    Line(
        "正文首缩",
        "{{ loop.index }}．{{ item.title }}（{{ item.number }}）"
        "{% if item.deadline %}，办理期限{{ item.deadline }}{% endif %}；",
    ),
    Line("正文首缩", "{%p endfor %}"),
    *_if(
        "urge.is_part",
        Line("正文首缩", "以上列{{ urge.shown }}项，共{{ urge.count }}项。"),
    ),
)

REMINDER_LIST: tuple[Block, ...] = (
    *_head(_OFFICE),
    Line("文件标题", "催　办　单"),
    Line("主送机关", "{{ unit.name }}："),
    Line("正文首缩", "你单位承办的下列{{ urge.count }}项事项尚未办结："),
    *_ITEMS,
    *_each("case.content", "末段"),
    *_foot(),
)

QUARTERLY_DISPATCH: tuple[Block, ...] = (
    *_head(_OFFICE),
    Line("文件标题", "关于开展重点任务季度调度的通知"),
    Line("主送机关", "{{ unit.name }}："),
    Line("正文首缩", "现对你单位承担的下列{{ urge.count }}项任务开展季度调度："),
    *_ITEMS,
    *_each("case.content", "末段"),
    *_foot(),
    *_imprint(),
)

FEEDBACK_FORM: tuple[Block, ...] = (
    Line("发文字号", "{{ document.number }}"),
    Line("文件标题", "督查事项落实情况反馈表"),
    Line("主送机关", "报送：{{ office.government }}"),
    Table(
        (17, 33, 17, 33),
        (
            (("事项编号",), ("{{ case.number }}",), ("办理期限",), ("{{ case.deadline }}",)),
            (("督查事项",), ("{{ case.title }}",)),
            (("承办单位",), ("{{ unit.name }}",), ("承 办 人",), ("{{ feedback.handler }}",)),
            (("办理结果",), ("{{ feedback.result }}",), ("完成比例",), ("{{ feedback.percent }}",)),
            (
                ("落实措施",),
                ("{%p for line in feedback.measures %}", "{{ line }}", "{%p endfor %}"),
            ),
            (("主要数据",), ("{{ feedback.figures|join('；') }}",)),
            (
                ("存在问题",),
                ("{%p for line in feedback.problems %}", "{{ line }}", "{%p endfor %}"),
            ),
            (
                ("下步打算",),
                ("{%p for line in feedback.next_steps %}", "{{ line }}", "{%p endfor %}"),
            ),
            (("附　　件",), ("{{ feedback.attachments|join('；') }}",)),
            (
                ("主要负责人审签",),
                ("签发人：{{ feedback.signer }}　　（盖章）", "{{ document.date }}"),
            ),
        ),
        row_height=620,
    ),
)

ANSWER_LETTER: tuple[Block, ...] = (
    Line("紧急程度", "{{ answer.class_mark }}"),
    Line("机关标志", "{{ unit.name }}"),
    Line("发文字号", "{{ document.number }}"),
    Line("红线"),
    Line("文件标题", "对“{{ case.title }}”的答复"),
    Line("主送机关", "{{ answer.addressees|join('、') }}："),
    Line(
        "正文首缩",
        "您（们）提出的“{{ case.title }}”{% if case.source_number %}"
        "（{{ case.source_number }}）{% endif %}收悉，现答复如下：",
    ),
    *_each("answer.text"),
    *_if("answer.reason", *_each("answer.reason")),
    *_if("answer.planned_date", Line("正文首缩", "计划于{{ answer.planned_date }}前办理完成。")),
    Line("末段", "感谢您（们）对我们工作的关心和支持。"),
    *_foot("{{ unit.name }}"),
    *_imprint("{{ unit.name }}"),
)


def _measure(title: str, *demands: Block) -> tuple[Block, ...]:
    return (
        *_head(_OFFICE),
        Line("文件标题", title),
        Line("主送机关", "{{ unit.name }}："),
        Line(
            "正文首缩",
            "我室对你单位承办的“{{ case.title }}”（{{ case.number }}）进行了第"
            "{{ measure.round }}次督查，发现下列问题：",
        ),
        *_each("measure.findings"),
        *_each("measure.reason"),
        *_each("measure.text"),
        *demands,
        *_foot(),
        *_imprint(),
    )


_REVIEW = Line(
    "末段",
    "对本通知不服的，可以自收到之日起30日内申请复核；复核期间不停止整改。",
)

RECTIFICATION = _measure(
    "整改通知书",
    Line(
        "正文首缩",
        "现责令你单位限期整改，并于{{ measure.rectify_by }}前书面报告整改结果。",
    ),
    _REVIEW,
)

YELLOW_CARD = _measure(
    "黄牌警告通知书",
    Line(
        "正文首缩",
        "经整改仍未达到要求，现给予黄牌警告，并约谈单位主要负责人。"
        "请于{{ measure.rectify_by }}前完成整改并书面报告结果。",
    ),
    _REVIEW,
)

ACCOUNTABILITY: tuple[Block, ...] = (
    *_head(
        _OFFICE,
        Line("上行文号", "{{ document.number }}　　　　　　签发人：{{ measure.issued_by }}"),
    ),
    Line("文件标题", "问责建议书"),
    Line("主送机关", "{{ office.government }}："),
    Line(
        "正文首缩",
        "{{ unit.name }}承办的“{{ case.title }}”（{{ case.number }}），经三次督查仍未落实。"
        "第{{ measure.round }}次督查查明：",
    ),
    *_each("measure.findings"),
    *_each("measure.reason"),
    *_if("measure.statement", Line("一级标题", "单位陈述"), *_each("measure.statement")),
    *_each("measure.text"),
    Line("末段", "建议按照有关规定追究责任，请审定。"),
    *_foot(),
)

SPECIAL_REPORT: tuple[Block, ...] = (
    *_head(
        _OFFICE,
        Line("上行文号", "{{ document.number }}　　　　　　签发人：{{ report.signer }}"),
    ),
    Line("文件标题", "督　查　专　报"),
    Line("文件标题", "关于“{{ case.title }}”办理情况的报告"),
    Line("主送机关", "{{ case.issuer or office.government }}："),
    *_each("report.summary"),
    Line("一级标题", "办理情况"),
    Line(
        "正文首缩",
        "主办单位：{{ unit.name }}{% if case.co_units %}；协办单位："
        "{{ case.co_units|join('、') }}{% endif %}。办理期限：{{ case.deadline }}。"
        "{% if feedback.result %}办理结果：{{ feedback.result }}。{% endif %}",
    ),
    *_each("feedback.measures"),
    Line("末段", "专此报告。"),
    *_foot(),
)


def _statistics(title: str) -> tuple[Block, ...]:
    return (
        *_head(_OFFICE),
        Line("文件标题", title),
        *_if("document.addressee", Line("主送机关", "{{ document.addressee }}：")),
        *_each("report.opening"),
        Line("正文首缩", "{%p for section in report.sections %}"),
        Line("一级标题", "{{ section.heading }}"),
        *_each("section.lines"),
        Line("正文首缩", "{%p if section.table %}"),
        Line("表题", "{{ section.table.title }}"),
        Table(
            (1, 1, 1),
            (
                (("{%tc for cell in section.table.head %}",), ("{{ cell }}",), ("{%tc endfor %}",)),
                (("{%tr for row in section.table.rows %}",), ("",), ("",)),
                (("{%tc for cell in row %}",), ("{{ cell }}",), ("{%tc endfor %}",)),
                (("{%tr endfor %}",), ("",), ("",)),
            ),
            has_header=True,
        ),
        Line("正文首缩", "{%p endif %}"),
        Line("正文首缩", "{%p if section.chart %}"),
        Line("图", "{{ section.chart }}"),
        Line("正文首缩", "{%p endif %}"),
        Line("正文首缩", "{%p endfor %}"),
        Line("末段", "特此通报。"),
        *_foot(),
        *_imprint(),
    )


BULLETIN = _statistics("{{ document.title }}")
QUARTERLY_REPORT = _statistics("{{ document.title }}")
ANNUAL_REPORT = _statistics("{{ document.title }}")
