"""Headers of the made tables, as MIMIC-IV 3.1 and MIMIC-IV-ECG 1.0 have them (MIT-LCP/mimic-code; provider columns and
the middle of emar_detail from memory)."""

from worldmodel.datasets.made_policy import CANDIDATES


def _names(text: str) -> list[str]:
    return text.split(",")


HEADERS = {
    "record_list": _names("subject_id,study_id,file_name,ecg_time,path"),
    "machine_measurements": [
        *("subject_id", "study_id", "cart_id", "ecg_time"),
        *(f"report_{line}" for line in range(18)),
        *("bandwidth", "filtering", "rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end"),
        *("p_axis", "qrs_axis", "t_axis"),
    ],
    "patients": _names("subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod"),
    "admissions": _names(
        "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admit_provider_id,admission_location,"
        "discharge_location,insurance,language,marital_status,race,edregtime,edouttime,hospital_expire_flag"
    ),
    "diagnoses_icd": _names("subject_id,hadm_id,seq_num,icd_code,icd_version"),
    "prescriptions": _names(
        "subject_id,hadm_id,pharmacy_id,poe_id,poe_seq,order_provider_id,starttime,stoptime,drug_type,drug,"
        "formulary_drug_cd,gsn,ndc,prod_strength,form_rx,dose_val_rx,dose_unit_rx,form_val_disp,form_unit_disp,"
        "doses_per_24_hrs,route"
    ),
    "emar": _names(
        "subject_id,hadm_id,emar_id,emar_seq,poe_id,pharmacy_id,enter_provider_id,charttime,medication,event_txt,"
        "scheduletime,storetime"
    ),
    "emar_detail": _names(
        "subject_id,emar_id,emar_seq,parent_field_ordinal,administration_type,pharmacy_id,barcode_type,"
        "reason_for_no_barcode,complete_dose_not_given,dose_due,dose_due_unit,dose_given,dose_given_unit,"
        "will_remainder_of_dose_be_given,product_amount_given,product_unit,product_code,product_description,"
        "product_description_other,prior_infusion_rate,infusion_rate,infusion_rate_adjustment,"
        "infusion_rate_adjustment_amount,infusion_rate_unit,route,infusion_complete,completion_interval,"
        "new_iv_bag_hung,continued_infusion_in_other_location,restart_interval,side,site,"
        "non_formulary_visual_verification"
    ),
    "labevents": _names(
        "labevent_id,subject_id,hadm_id,specimen_id,itemid,order_provider_id,charttime,storetime,value,valuenum,"
        "valueuom,ref_range_lower,ref_range_upper,flag,priority,comments"
    ),
    "omr": _names("subject_id,chartdate,seq_num,result_name,result_value"),
    "icustays": _names("subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime,los"),
    "inputevents": _names(
        "subject_id,hadm_id,stay_id,caregiver_id,starttime,endtime,storetime,itemid,amount,amountuom,rate,rateuom,"
        "orderid,linkorderid,ordercategoryname,secondaryordercategoryname,ordercomponenttypedescription,"
        "ordercategorydescription,patientweight,totalamount,totalamountuom,isopenbag,continueinnextdept,"
        "statusdescription,originalamount,originalrate"
    ),
    "chartevents": _names(
        "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,valuenum,valueuom,warning"
    ),
    "d_labitems": _names("itemid,label,fluid,category"),
    "d_items": _names(
        "itemid,label,abbreviation,linksto,category,unitname,param_type,lownormalvalue,highnormalvalue"
    ),
    "episodes": [
        *("subject_id", "hour_zero", "study_before", "study_after", "person", "hr_bpm", "qtcf_ms", "pr_ms"),
        *("potassium", "chosen"),
        *(f"p_{candidate.drug}" for candidate in CANDIDATES),
        "traps",
    ],
}


def row_of(table: str, **cells: object) -> list[object]:
    """A row with these cells, empty elsewhere. Raises ValueError of a column that the table has not."""
    unknown = cells.keys() - set(HEADERS[table])
    if unknown:
        raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
    return [cells.get(name, "") for name in HEADERS[table]]
